package conns

import (
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

// What a connection of a Blocking worker is promised beyond order and patience.

// loopTurns waits until the worker's first loop has run n timers, one after the other: the
// loop has had every chance to do what it should not.
func loopTurns(t *testing.T, w *workerman.Worker, n int) {
	t.Helper()
	done := make(chan struct{})
	ticker := w.EventLoop().Every(time.Millisecond, func() {
		if n--; n == 0 {
			close(done)
		}
	})
	receive(t, done, "turns of the loop")
	ticker.Stop()
}

// A timer whose function is late does not make up for the runs it missed.
func TestEveryDoesNotPileUpBehindASlowCallback(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		inside, release, counted := make(chan struct{}), make(chan struct{}), make(chan int, 1)
		ran := 0
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.Blocking = true
			w.OnConnect = func(c *workerman.Conn) {
				c.Every(time.Millisecond, func() { ran++ })
			}
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				ran = 0
				close(inside)
				<-release
			}
		})
		client := dial(t, w)
		io.WriteString(client, "wait\n")
		receive(t, inside, "OnMessage")
		loopTurns(t, w, 50)
		for c := range w.Connections() {
			queued := make(chan struct{})
			w.Post(func() { c.Post(func() { counted <- ran }); w.Post(func() { close(queued) }) })
			receive(t, queued, "Post")
			loopTurns(t, w, 2)
		}
		close(release)
		if n := receive(t, counted, "Post behind the blocked callback"); n > 2 {
			t.Errorf("%d runs at once after the callback returned", n)
		}
		client.Close()
		gone(t, w)
	})
}

// A protocol may be changed in a callback if the peer waits for the answer.
func TestSetProtocolWhenThePeerWaits(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		lines := builtin(t, "text")
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.Blocking = true
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				switch string(data) {
				case "raw":
					c.SetProtocol(nil)
				case "text":
					c.SetProtocol(lines)
				}
				c.Send(append(slices.Clone(data), '.'))
			}
		})
		c := dial(t, w)
		for _, step := range []struct{ send, want string }{
			{"one\n", "one.\n"}, {"raw\n", "raw."}, {"two", "two."}, {"text", "text.\n"}, {"three\n", "three.\n"},
		} {
			io.WriteString(c, step.send)
			got := make([]byte, len(step.want))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != step.want {
				t.Fatalf("%q: %q, %v", step.send, got, err)
			}
		}
	})
}

// Post runs one at a time with the callbacks of a UDP peer as well.
func TestPostOfABlockingPeerIsSerial(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		var inside atomic.Int32
		entered, release, posted := make(chan struct{}), make(chan struct{}), make(chan int32, 1)
		_, w := serveUDP(t, k, "udp", func(w *workerman.Worker) {
			w.Blocking = true
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				inside.Add(1)
				c.Post(func() { posted <- inside.Load() })
				close(entered)
				<-release
				inside.Add(-1)
			}
		})
		dialUDP(t, w).Write([]byte("x"))
		receive(t, entered, "OnMessage")
		loopTurns(t, w, 5)
		close(release)
		if n := receive(t, posted, "Post"); n != 0 {
			t.Error("a posted function ran beside OnMessage")
		}
	})
}

// gone waits until a worker has no connections.
func gone(t *testing.T, w *workerman.Worker) {
	t.Helper()
	eventually(t, "the connections are gone", func() bool { return w.Stats().Connections == 0 })
}
