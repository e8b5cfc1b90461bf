package workerman

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman/http"
)

// mount starts an http worker with a handler.
func mount(t *testing.T, k kind, h nethttp.HandlerFunc, configure ...func(w *Worker)) (*testService, *Worker) {
	t.Helper()
	return serve(t, k, "http", func(w *Worker) {
		w.Handle(h)
		for _, fn := range configure {
			fn(w)
		}
	})
}

// client is a client of net/http whose connections all go to w.
func client(t *testing.T, w *Worker) *nethttp.Client {
	a := w.Addr()
	transport := &nethttp.Transport{
		MaxIdleConnsPerHost: 1000,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, a.Network(), a.String())
		},
		DisableCompression: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &nethttp.Client{Transport: transport, Timeout: patience}
}

func TestHandleServesAMux(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		mux := nethttp.NewServeMux()
		mux.HandleFunc("POST /echo/{name}", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			fmt.Fprintf(w, "%s %s", r.PathValue("name"), body)
		})
		_, w := mount(t, k, mux.ServeHTTP)
		c := client(t, w)
		for i := range 3 {
			answer, err := c.Post("http://a/echo/x%2Fy", "text/plain", strings.NewReader("hi"))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode != 200 || string(body) != "x/y hi" || answer.ContentLength != 6 || err != nil {
				t.Errorf("%d: %v %q %v", i, answer, body, err)
			}
		}
		if n := w.Stats(); n.Requests != 3 || n.Accepted != 1 {
			t.Errorf("%+v", n)
		}
	})
}

var (
	_ = bufio.NewReader
	_ = bytes.Equal
	_ = errors.Is
	_ = httptest.NewServer
	_ sync.Mutex
	_ atomic.Int64
	_ time.Time
	_ http.Field
)
