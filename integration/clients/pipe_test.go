package clients

import (
	"bytes"
	"io"
	"sync/atomic"
	"testing"

	"github.com/workerman-go/workerman"
)

// proxyTo pipes a connection to a server through a client on the same loop.
func proxyTo(address string, c *workerman.Conn, connects *atomic.Int64) {
	c.PauseRecv()
	up := c.NewClient(address)
	up.OnConnect = func(u *workerman.Conn) {
		if u.EventLoop() != c.EventLoop() {
			panic("another loop")
		}
		connects.Add(1)
		c.Pipe(u)
		u.Pipe(c)
		c.ResumeRecv()
	}
	up.OnError = func(_ *workerman.Conn, err error) { c.Close() }
	up.Connect()
}

func TestClientPipes(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		var connects atomic.Int64
		var address atomic.Value
		s, front := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.Loops = 2
			w.MaxSendBuffer = 128 << 10
			w.OnConnect = func(c *workerman.Conn) { proxyTo(address.Load().(string), c, &connects) }
		})
		back := add(t, s, k.Address(t, "tcp"), func(w *workerman.Worker) {
			echo(w)
			w.MaxSendBuffer = 64 << 20
		})
		address.Store(map[string]string{"tcp": "tcp://", "unix": "unix://"}[k.Network] + back.Addr().String())
		const size = 2 << 20
		for i := range 4 {
			c := dial(t, front)
			go c.Write(numbered(i, size))
			got := make([]byte, size)
			if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, numbered(i, size)) {
				t.Fatalf("%d of %d bytes, %v", n, size, err)
			}
			c.Close()
		}
		eventually(t, "all are gone", func() bool { return back.Stats().Connections+front.Stats().Connections == 0 })
		if connects.Load() != 4 {
			t.Errorf("%d connections through the proxy", connects.Load())
		}
		back.Unlisten()
		eventually(t, "the server refuses", func() bool {
			c := dial(t, front)
			defer c.Close()
			c.Write([]byte("x"))
			_, err := c.Read(make([]byte, 1))
			return err != nil
		})
	})
}
