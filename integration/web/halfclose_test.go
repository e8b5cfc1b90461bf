package web

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/web"
)

// TestHTTPReadsWhatWaitsBehindAnExchange: the client has sent several requests and closed its
// half. If another goroutine answers one at the moment in which the end of the input is
// looked at, the others must not be forgotten. It takes many clients to meet that moment.
func TestHTTPReadsWhatWaitsBehindAnExchange(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		t.Run("OnRequest", func(t *testing.T) {
			var asked atomic.Pointer[workerman.Responder]
			var stop atomic.Bool
			done := make(chan struct{})
			go func() { // it spins, to answer at once
				defer close(done)
				for !stop.Load() {
					if answer := asked.Swap(nil); answer != nil {
						answer.Respond(web.Text("x"))
					}
				}
			}()
			defer func() {
				stop.Store(true)
				<-done
			}()
			_, w := serve(t, k, "http", func(w *workerman.Worker) {
				w.OnRequest = func(c *workerman.Conn, r *web.Request) {
					answer := c.Responder()
					asked.Store(&answer)
				}
			})
			halfClosedClients(t, w)
		})
		t.Run("handler", func(t *testing.T) {
			_, w := serve(t, k, "http", func(w *workerman.Worker) {
				w.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") }))
			})
			halfClosedClients(t, w)
		})
	})
}

// halfClosedClients are many clients, one after the other, that end their half behind three
// requests.
func halfClosedClients(t *testing.T, w *workerman.Worker) {
	t.Helper()
	requests := strings.Repeat(get("/"), 3)
	clients := 1000
	if testkit.Race {
		clients = 300
	}
	for i := range clients {
		c, err := net.DialTimeout("tcp", w.Addr().String(), patience)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, requests)
		c.(*net.TCPConn).CloseWrite()
		answers, err := io.ReadAll(c)
		c.Close()
		if n := strings.Count(string(answers), "HTTP/1.1 200"); err != nil || n != 3 {
			t.Fatalf("client %d got %d answers of 3, %v", i, n, err)
		}
	}
}
