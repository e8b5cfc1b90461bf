package clients

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

// A server that fails in each way, one after the other, and is well in the end: the client
// finds it, and what waited is sent.
func TestClientComesThroughFailures(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		var round atomic.Int64
		var up atomic.Value
		up.Store(w.Addr().String())
		addr := listenRaw(t, "127.0.0.1:0", func(c net.Conn) {
			switch round.Add(1) {
			case 1:
				c.Close()
			case 2:
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
			case 3:
				io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
				silent(c)
			case 4:
				silent(c)
			default:
				io.Copy(io.Discard, io.LimitReader(c, int64(len("CONNECT a.test:1 HTTP/1.1\r\nHost: a.test:1\r\n\r\n"))))
				io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
				server, err := net.Dial("tcp", up.Load().(string))
				if err != nil {
					t.Error(err)
					return
				}
				join(c, server)
			}
		})
		cl := throughProxy(s.Master.NewClient("text://a.test:1"), "http://"+addr)
		cl.ConnectTimeout = 100 * time.Millisecond
		cl.Backoff = workerman.Backoff{Min: time.Millisecond, Max: time.Millisecond}
		h := make(happened, 100)
		h.Watch(cl)
		cl.Send([]byte("waited"))
		connect(t, cl)
		h.Expect(t, "error", "error", "error", "error", "connect", "message waited")
		cl.Close()
		h.Expect(t, "close <nil>")
	})
}
