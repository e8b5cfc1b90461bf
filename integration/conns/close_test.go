package conns

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// The contract of a connection, line by line, on both engines and both transports: its ends.

func TestCloseFromEverySideIsOneOnClose(t *testing.T) {
	ends := map[string]func(c *workerman.Conn){
		"Close":          func(c *workerman.Conn) { c.Close(); c.Close() },
		"CloseWith":      func(c *workerman.Conn) { c.CloseWith([]byte("bye")); c.Close() },
		"Destroy":        func(c *workerman.Conn) { c.Destroy(); c.Destroy(); c.Close() },
		"Close, Destroy": func(c *workerman.Conn) { c.Close(); c.Destroy() },
		"panic":          func(c *workerman.Conn) { panic("on purpose") },
		"from elsewhere": func(c *workerman.Conn) { go c.Close(); go c.Destroy(); go c.CloseWith(nil) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				var r *watched
				_, w := serve(t, k, "text", func(w *workerman.Worker) {
					w.OnMessage = func(c *workerman.Conn, data []byte) { end(c) }
					r = recordCallbacks(t, w)
				})
				c := dial(t, w)
				io.WriteString(c, "end\nignored\nignored\n")
				io.Copy(io.Discard, c) // until the server's end of stream or reset
				c.Close()
				r.want("connect message close")
				if n := r.messages.Load(); n != 1 && name != "from elsewhere" {
					t.Errorf("%d messages delivered, the close came with the first", n)
				}
			})
		})
	}
}

// slowly reads everything through a small receive buffer, so that the sender has to wait.
func slowly(c net.Conn) ([]byte, error) {
	if b, ok := c.(interface{ SetReadBuffer(int) error }); ok {
		b.SetReadBuffer(256 << 10)
	}
	return io.ReadAll(c)
}

func TestCloseDeliversEverything(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		times, size := 100, 16<<20
		if k.Portable || testkit.Race || testing.Short() {
			times = 10
		}
		message := numbered(0, size)
		_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.OnConnect = func(c *workerman.Conn) {
				if err := c.Send(message); err != nil {
					t.Errorf("Send: %v", err)
				}
				c.Close()
			}
		})
		for i := range times {
			c := dial(t, w)
			io.WriteString(c, "unread input must not turn into a reset")
			got, err := slowly(c)
			if err != nil || !bytes.Equal(got, message) {
				t.Fatalf("round %d: %d of %d bytes, %v", i, len(got), size, err)
			}
			c.Close()
		}
	})
}

func TestCloseDeliversWhilePeerFloods(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		message := numbered(0, 4<<20)
		_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.CloseWith(message) }
		})
		c := dial(t, w)
		flooded := make(chan struct{})
		go func() {
			defer close(flooded)
			junk := make([]byte, 64<<10)
			for {
				if _, err := c.Write(junk); err != nil {
					return
				}
			}
		}()
		got := make([]byte, len(message))
		if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%d of %d bytes, %v", n, len(message), err)
		}
		c.Close()
		<-flooded
	})
}

func TestDestroyDrops(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		closed := make(chan error, 1)
		_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				c.Send(make([]byte, 64<<20))
				c.Destroy()
			}
			w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
		})
		c := dial(t, w)
		c.Write([]byte("x"))
		if err := receive(t, closed, "OnClose"); !errors.Is(err, workerman.ErrDestroyed) {
			t.Errorf("Err is %v, want %v", err, workerman.ErrDestroyed)
		}
		if n, _ := io.Copy(io.Discard, c); n >= 64<<20 {
			t.Errorf("all %d bytes arrived", n)
		}
	})
}

func TestLingerLimitEndsTheWait(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		closed := make(chan error, 1)
		_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.LingerTimeout = 300 * time.Millisecond
			w.OnConnect = func(c *workerman.Conn) { c.CloseWith(make([]byte, 64<<20)) }
			w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
		})
		dial(t, w) // and read nothing
		if err := receive(t, closed, "OnClose"); !errors.Is(err, workerman.ErrLinger) {
			t.Errorf("Err is %v, want %v", err, workerman.ErrLinger)
		}
	})
}

func TestPeersEndOfStreamAnswersFirst(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocking=%v", blocking), func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				_, w := serve(t, k, "text", func(w *workerman.Worker) {
					w.Blocking = blocking
					w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
				})
				c := dial(t, w)
				io.WriteString(c, "one\ntwo\nhalf")
				c.(interface{ CloseWrite() error }).CloseWrite()
				if got, err := io.ReadAll(c); err != nil || string(got) != "one\ntwo\n" {
					t.Fatalf("the answers are %q, %v, want %q", got, err, "one\ntwo\n")
				}
			})
		})
	}
}

func TestResetInTheMiddle(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		for _, paused := range []bool{false, true} {
			closed := make(chan error, 1)
			got := make(chan struct{}, 1)
			_, w := serve(t, k, "frame", func(w *workerman.Worker) {
				w.OnConnect = func(c *workerman.Conn) {
					if paused {
						c.PauseRecv()
					}
					c.Send(make([]byte, 8<<20))
					got <- struct{}{}
				}
				w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
			})
			c := dial(t, w)
			c.Write([]byte{0, 0, 1, 0, 'h', 'a', 'l', 'f'})
			receive(t, got, "OnConnect")
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
			if err := receive(t, closed, "OnClose"); err == nil {
				t.Error("a reset looks like an orderly close")
			}
		}
	})
}
