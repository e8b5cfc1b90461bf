package conns

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

func TestContextsEnd(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		contexts := make(chan context.Context, 1)
		s := newService(t, k)
		w := s.NewWorker("text://127.0.0.1:0")
		w.OnMessage = func(c *workerman.Conn, data []byte) { contexts <- c.Context() }
		if cause := context.Cause(w.Context()); cause != workerman.ErrNotRunning {
			t.Errorf("before the start: %v", cause)
		}
		udp := s.NewWorker("udp://127.0.0.1:0")
		udp.OnMessage = w.OnMessage
		s.Start()
		ofWorker, ofLoop := w.Context(), w.EventLoop().Context()
		if ofWorker.Err() != nil || ofWorker != ofLoop {
			t.Errorf("while it serves: %v", ofWorker.Err())
		}

		c := dial(t, w)
		c.Write([]byte("x\n"))
		ctx := receive(t, contexts, "a context")
		if ctx.Err() != nil {
			t.Errorf("while the connection is open: %v", ctx.Err())
		}
		var conn *workerman.Conn
		for conn = range w.Connections() {
		}
		c.Close()
		receive(t, ctx.Done(), "its end")
		for _, ctx := range []context.Context{ctx, conn.Context()} {
			if cause := context.Cause(ctx); cause != workerman.ErrClosed {
				t.Errorf("after the close: %v", cause)
			}
		}

		peer, err := net.Dial("udp", udp.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		peer.Write([]byte("x"))
		if ctx := receive(t, contexts, "a context"); ctx != ofLoop {
			t.Errorf("of a peer of UDP: %v, want the loop's", ctx)
		}

		c = dial(t, w)
		c.Write([]byte("x\n"))
		ctx = receive(t, contexts, "a context")
		s.Stop()
		for _, ctx := range []context.Context{ctx, ofLoop, w.Context()} {
			if ctx.Err() == nil {
				t.Error("a context goes on after the stop")
			}
		}
		if cause := context.Cause(ofLoop); cause != workerman.ErrNotRunning {
			t.Errorf("after the stop: %v", cause)
		}
	})
}

// A connection of which nobody wanted anything before it closed has an ended context, and
// timers that do not run.
func TestContextOfAClosedConnection(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		closed := make(chan *workerman.Conn, 1)
		_, w := serve(t, k, "tcp", func(w *workerman.Worker) { w.OnClose = func(c *workerman.Conn) { closed <- c } })
		dial(t, w).Close()
		c := receive(t, closed, "OnClose")
		c.After(0, func() { t.Error("a timer of a closed connection runs") })
		if cause := context.Cause(c.Context()); cause != workerman.ErrClosed {
			t.Errorf("%v", cause)
		}
		ran := make(chan struct{})
		c.EventLoop().After(5*time.Millisecond, func() { close(ran) })
		receive(t, ran, "a later timer")
	})
}
