package interop

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

// TestSlowLoris opens connections that begin a request and never end it, while a good
// client is served.
func TestSlowLoris(t *testing.T) {
	n := slowClients(t)
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "http", func(w *workerman.Worker) {
			hello(w)
			w.HTTP.HeaderTimeout = 2 * time.Second
		})
		slow := make([]net.Conn, n)
		defer func() {
			for _, c := range slow {
				if c != nil {
					c.Close()
				}
			}
		}()
		for i := range slow {
			c, err := net.DialTimeout("tcp", s.address(), patience)
			if err != nil {
				t.Fatal(err)
			}
			slow[i] = c
			c.SetDeadline(time.Now().Add(patience))
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nX-")
		}
		var all sync.WaitGroup
		var answered atomic.Int64
		for _, c := range slow {
			all.Go(func() {
				io.WriteString(c, "y") // another byte buys no time
				answer, err := io.ReadAll(c)
				if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") || strings.Count(string(answer), "HTTP/1.1") != 1 {
					t.Errorf("a slow client is told %q, %v", answer, err)
					return
				}
				answered.Add(1)
			})
		}
		gone := make(chan struct{})
		go func() {
			all.Wait()
			close(gone)
		}()
		served := goodClient(t, s, gone)
		eventually(t, "the slow clients are gone", func() bool { return s.Stats().Connections == 0 })
		t.Logf("%d of %d slow clients were answered 408, the good one %d times", answered.Load(), n, served)
	})
}

// slowClients is how many fit into this process, which has both ends of each.
func slowClients(t *testing.T) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return min(5000, int(limit.Cur-200)/2)
}

// goodClient asks again and again, on old and new connections, until the end is told.
func goodClient(t *testing.T, s *server, end <-chan struct{}) (served int) {
	t.Helper()
	for {
		c := s.dial(t)
		in := bufio.NewReader(c)
		for range 20 {
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			r, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal("the good client: ", err)
			}
			if body, err := io.ReadAll(r.Body); err != nil || string(body) != "hello" {
				t.Fatalf("the good client is told %q, %v", body, err)
			}
			served++
		}
		c.Close()
		select {
		case <-end:
			return served
		default:
		}
	}
}
