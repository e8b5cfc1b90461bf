package workerman

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A client that NewClient has not made has nothing to connect to, which Connect says.
func TestClientWithoutAnAddress(t *testing.T) {
	for name, cl := range map[string]*Client{
		"new(Client)":   new(Client),
		"no options":    {address: "tcp://127.0.0.1:1"},
		"options alone": {ClientOptions: new(ClientOptions)},
		`NewClient("")`: NewClient(""),
	} {
		if cl.Conn() != nil || cl.Address() != cl.address {
			t.Errorf("%s: got Conn %v and Address %q, want none", name, cl.Conn(), cl.Address())
		}
		if err := cl.Send([]byte("x")); err != nil {
			t.Errorf("Send of %s: got %v, want it to wait", name, err)
		}
		if cl.address == "" {
			for _, connect := range []func() error{cl.Connect, func() error { return cl.Reconnect(time.Hour) }} {
				if err := connect(); err == nil || !strings.Contains(err.Error(), "client without an address: make it with NewClient") {
					t.Errorf("%s: got %v, want that it has no address", name, err)
				}
			}
		}
		if cl.Context().Err() == nil {
			t.Errorf("%s: the context has not ended, want that nothing runs", name)
		}
		cl.Close()
		if err := cl.Send(nil); err != ErrClosed {
			t.Errorf("Send of %s behind Close: got %v, want %v", name, err, ErrClosed)
		}
	}
}

// No options are as good as empty ones.
func TestClientWithoutOptions(t *testing.T) {
	s, w := serve(t, kind{network: "tcp"}, "text", func(w *Worker) {
		w.OnMessage = func(c *Conn, data []byte) { c.Destroy() }
	})
	cl := clientOf(s, w, "text")
	cl.ClientOptions = nil
	connect(t, cl)
	eventually(t, "it is connected", func() bool { return cl.Conn() != nil })
	cl.Send([]byte("x"))
	eventually(t, "it has ended, and no callback was missed", func() bool { return cl.Send(nil) == ErrClosed })
	cl.address = "tcp://" + refusing(t)
	connect(t, cl)
	eventually(t, "the failure is logged", func() bool { return len(s.log.lines("cannot connect", cl.address)) == 1 })
}

// A client posts to the loop of its callbacks, also before the master runs.
func TestClientPosts(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s := newTestService(t, k)
		w := s.master.NewWorker("text://127.0.0.1:0")
		w.Loops = 2
		made := make(chan *Client, 1)
		w.OnConnect = func(c *Conn) { made <- c.NewClient("text://" + c.LocalAddr().String()) }
		first := s.master.NewClient("text://127.0.0.1:1")
		early := make(chan *EventLoop, 1)
		if !first.Post(func() { early <- nil }) {
			t.Error("Post before the start: got false, want true")
		}
		s.start()
		receive(t, early, "what was posted before the start")
		dial(t, w)
		ofConn := receive(t, made, "the client of a connection")
		for name, cl := range map[string]*Client{"of the master": first, "of a connection": ofConn} {
			var ran atomic.Int32
			done := make(chan error, 1)
			cl.Post(func() { ran.Add(1); panic("of the test") }) // is logged
			Async(cl, func() (int, error) { return 7, nil }, func(n int, err error) {
				if n != 7 || ran.Load() != 1 {
					err = errors.New("in another order")
				}
				done <- err
			})
			if err := receive(t, done, "the result"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := cl.Context().Err(); err != nil {
				t.Errorf("%s: the context has ended by %v while the loop runs", name, err)
			}
		}
		if n := len(s.log.lines("panic in a callback", "of the test")); n != 2 {
			t.Errorf("%d panics are logged, want 2\n%s", n, s.log)
		}
		ctx := ofConn.Context()
		s.stop()
		receive(t, ctx.Done(), "the end of the context")
		if ofConn.Post(func() {}) {
			t.Error("Post on a loop that has ended: got true, want false")
		}
	})
}
