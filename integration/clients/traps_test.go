package clients

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// No options are as good as empty ones.
func TestClientWithoutOptions(t *testing.T) {
	s, w := serve(t, kind{Network: "tcp"}, "text", func(w *workerman.Worker) {
		w.OnMessage = func(c *workerman.Conn, data []byte) { c.Destroy() }
	})
	cl := clientOf(s, w, "text")
	cl.ClientOptions = nil
	connect(t, cl)
	eventually(t, "it is connected", func() bool { return cl.Conn() != nil })
	cl.Send([]byte("x"))
	eventually(t, "it has ended, and no callback was missed", func() bool { return cl.Send(nil) == workerman.ErrClosed })
	cl = s.Master.NewClient("tcp://" + refusing(t))
	cl.ClientOptions = nil
	connect(t, cl)
	eventually(t, "the failure is logged", func() bool { return len(s.Log.Lines("cannot connect", cl.Address())) == 1 })
}

// A client posts to the loop of its callbacks, also before the master runs.
func TestClientPosts(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s := newService(t, k)
		w := s.NewWorker("text://127.0.0.1:0")
		w.Loops = 2
		made := make(chan *workerman.Client, 1)
		w.OnConnect = func(c *workerman.Conn) { made <- c.NewClient("text://" + c.LocalAddr().String()) }
		first := s.Master.NewClient("text://127.0.0.1:1")
		early := make(chan *workerman.EventLoop, 1)
		if !first.Post(func() { early <- nil }) {
			t.Error("Post before the start: got false, want true")
		}
		s.Start()
		testkit.Receive(t, early, "what was posted before the start")
		dial(t, w)
		ofConn := testkit.Receive(t, made, "the client of a connection")
		for name, cl := range map[string]*workerman.Client{"of the master": first, "of a connection": ofConn} {
			var ran atomic.Int32
			done := make(chan error, 1)
			cl.Post(func() { ran.Add(1); panic("of the test") }) // is logged
			workerman.Async(cl, func() (int, error) { return 7, nil }, func(n int, err error) {
				if n != 7 || ran.Load() != 1 {
					err = errors.New("in another order")
				}
				done <- err
			})
			if err := testkit.Receive(t, done, "the result"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := cl.Context().Err(); err != nil {
				t.Errorf("%s: the context has ended by %v while the loop runs", name, err)
			}
		}
		if n := len(s.Log.Lines("panic in a callback", "of the test")); n != 2 {
			t.Errorf("%d panics are logged, want 2\n%s", n, s.Log)
		}
		ctx := ofConn.Context()
		s.Stop()
		testkit.Receive(t, ctx.Done(), "the end of the context")
		if ofConn.Post(func() {}) {
			t.Error("Post on a loop that has ended: got true, want false")
		}
	})
}
