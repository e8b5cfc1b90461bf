package conns

import (
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

func TestPipeBothWays(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "tcp", workertest.PipePairs)
		a := dial(t, w)
		eventually(t, "the first is there", func() bool { return w.Stats().Connections == 1 })
		b := dial(t, w)
		const size = 8 << 20
		send := func(c net.Conn, which int) {
			c.Write(numbered(which, size))
		}
		go send(a, 1)
		go send(b, 2)
		for i, c := range []net.Conn{b, a} { // one after the other: the second is read late
			got := make([]byte, size)
			if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, numbered(i+1, size)) {
				t.Fatalf("%d of %d bytes, %v", n, size, err)
			}
		}
		if n := w.Stats().SendFail; n != 0 {
			t.Errorf("%d messages were refused", n)
		}
		io.WriteString(a, "last words")
		a.Close()
		if got, err := io.ReadAll(b); err != nil || string(got) != "last words" {
			t.Errorf("%q, %v", got, err)
		}
		b.Close()
		eventually(t, "both are gone", func() bool { return w.Stats().Connections == 0 })
	})
}

func TestPipeToAClosedConnectionCloses(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		var gone *workerman.Conn
		closed := make(chan struct{}, 2)
		_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.OnConnect = func(c *workerman.Conn) {
				if gone != nil {
					c.Pipe(gone)
				} else {
					gone = c
					c.Destroy()
				}
			}
			w.OnClose = func(c *workerman.Conn) { closed <- struct{}{} }
		})
		for range 2 {
			c := dial(t, w)
			io.ReadAll(c)
			c.Close()
			receive(t, closed, "OnClose")
		}
	})
}
