package workerman

import (
	"bytes"
	"io"
	"sync/atomic"
	"testing"
)

// proxyTo pipes a connection to a server through a client on the same loop.
func proxyTo(address string, c *Conn, connects *atomic.Int64) {
	c.PauseRecv()
	up := c.NewClient(address)
	up.OnConnect = func(u *Conn) {
		if u.stream.Loop() != c.stream.Loop() {
			panic("another loop")
		}
		connects.Add(1)
		c.Pipe(u)
		u.Pipe(c)
		c.ResumeRecv()
	}
	up.OnError = func(_ *Conn, err error) { c.Close() }
	up.Connect()
}

func TestClientPipes(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		var connects atomic.Int64
		var address atomic.Value
		var back *Worker
		_, front := serve(t, k, "tcp", func(w *Worker) {
			w.Loops = 2
			w.MaxSendBuffer = 128 << 10
			back = w.master.NewWorker(k.address(t, "tcp"))
			echo(back)
			back.MaxSendBuffer = 64 << 20
			w.OnConnect = func(c *Conn) { proxyTo(address.Load().(string), c, &connects) }
		})
		address.Store(map[string]string{"tcp": "tcp://", "unix": "unix://"}[k.network] + back.Addr().String())
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
