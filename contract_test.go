package workerman

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman/frame"
)

// The contract of a connection, line by line, on both engines and both transports.

// watched records the callbacks of one connection and complains about a wrong order.
type watched struct {
	t        *testing.T
	inside   atomic.Int32
	mu       sync.Mutex
	events   []string
	closed   chan struct{}
	messages atomic.Int64
}

func recordCallbacks(t *testing.T, w *Worker) *watched {
	r := &watched{t: t, closed: make(chan struct{}, 16)}
	enter := func(event string) func() {
		if r.inside.Add(1) != 1 {
			t.Errorf("%s runs beside another callback of the connection", event)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if n := len(r.events); n > 0 && r.events[n-1] == "close" {
			t.Errorf("%s after OnClose", event)
		}
		if event != "message" || len(r.events) == 0 || r.events[len(r.events)-1] != "message" {
			r.events = append(r.events, event)
		}
		return func() { r.inside.Add(-1) }
	}
	onMessage := w.OnMessage
	w.OnConnect = func(c *Conn) { defer enter("connect")() }
	w.OnMessage = func(c *Conn, data []byte) {
		defer enter("message")()
		r.messages.Add(1)
		if onMessage != nil {
			onMessage(c, data)
		}
	}
	w.OnClose = func(c *Conn) {
		enter("close")()
		r.closed <- struct{}{}
	}
	return r
}

func (r *watched) want(events string) {
	r.t.Helper()
	receive(r.t, r.closed, "OnClose")
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := strings.Join(r.events, " "); got != events {
		r.t.Errorf("callbacks %q, want %q", got, events)
	}
}

func TestCallbacksInOrderAndOnce(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocking=%v", blocking), func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				var r *watched
				_, w := serve(t, k, "text", func(w *Worker) {
					w.Blocking = blocking
					next := 0
					w.OnMessage = func(c *Conn, data []byte) {
						if want := fmt.Sprint(next); string(data) != want {
							t.Errorf("message %q, want %q", data, want)
						}
						next++
						c.Send(data)
					}
					r = recordCallbacks(t, w)
				})
				c := dial(t, w)
				const n = 5000
				go func() {
					var b bytes.Buffer
					for i := range n {
						fmt.Fprintln(&b, i)
					}
					c.Write(b.Bytes())
				}()
				in := bufio.NewScanner(c)
				for i := range n {
					if !in.Scan() || in.Text() != fmt.Sprint(i) {
						t.Fatalf("answer %d is %q, %v", i, in.Text(), in.Err())
					}
				}
				c.Close()
				r.want("connect message close")
			})
		})
	}
}

func TestCloseFromEverySideIsOneOnClose(t *testing.T) {
	ends := map[string]func(c *Conn){
		"Close":          func(c *Conn) { c.Close(); c.Close() },
		"CloseWith":      func(c *Conn) { c.CloseWith([]byte("bye")); c.Close() },
		"Destroy":        func(c *Conn) { c.Destroy(); c.Destroy(); c.Close() },
		"Close, Destroy": func(c *Conn) { c.Close(); c.Destroy() },
		"panic":          func(c *Conn) { panic("on purpose") },
		"from elsewhere": func(c *Conn) { go c.Close(); go c.Destroy(); go c.CloseWith(nil) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				var r *watched
				_, w := serve(t, k, "text", func(w *Worker) {
					w.OnMessage = func(c *Conn, data []byte) { end(c) }
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
		if k.portable || raceEnabled || testing.Short() {
			times = 10
		}
		message := numbered(0, size)
		_, w := serve(t, k, "tcp", func(w *Worker) {
			w.OnConnect = func(c *Conn) {
				if err := c.Send(message); err != nil {
					t.Error(err)
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
		_, w := serve(t, k, "tcp", func(w *Worker) {
			w.OnMessage = func(c *Conn, data []byte) { c.CloseWith(message) }
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
		_, w := serve(t, k, "tcp", func(w *Worker) {
			w.OnMessage = func(c *Conn, data []byte) {
				c.Send(make([]byte, 64<<20))
				c.Destroy()
			}
			w.OnClose = func(c *Conn) { closed <- c.Err() }
		})
		c := dial(t, w)
		c.Write([]byte("x"))
		if err := receive(t, closed, "OnClose"); !errors.Is(err, ErrDestroyed) {
			t.Errorf("Err is %v", err)
		}
		if n, _ := io.Copy(io.Discard, c); n >= 64<<20 {
			t.Errorf("all %d bytes arrived", n)
		}
	})
}

func TestLingerLimitEndsTheWait(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		closed := make(chan error, 1)
		_, w := serve(t, k, "tcp", func(w *Worker) {
			w.LingerTimeout = 300 * time.Millisecond
			w.OnConnect = func(c *Conn) { c.CloseWith(make([]byte, 64<<20)) }
			w.OnClose = func(c *Conn) { closed <- c.Err() }
		})
		dial(t, w) // and read nothing
		if err := receive(t, closed, "OnClose"); !errors.Is(err, ErrLinger) {
			t.Errorf("Err is %v", err)
		}
	})
}

func TestPeersEndOfStreamAnswersFirst(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocking=%v", blocking), func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				_, w := serve(t, k, "text", func(w *Worker) {
					w.Blocking = blocking
					w.OnMessage = func(c *Conn, data []byte) { c.Send(data) }
				})
				c := dial(t, w)
				io.WriteString(c, "one\ntwo\nhalf")
				c.(interface{ CloseWrite() error }).CloseWrite()
				if got, err := io.ReadAll(c); err != nil || string(got) != "one\ntwo\n" {
					t.Fatalf("%q, %v", got, err)
				}
			})
		})
	}
}

func TestSendResults(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		type result struct {
			accepted int
			full     error
			closed   error
		}
		results := make(chan result, 1)
		const size = 10_000
		s, w := serve(t, k, "frame", func(w *Worker) {
			w.MaxSendBuffer = 100_000
			w.OnMessage = func(c *Conn, _ []byte) {
				var r result
				for r.full == nil && r.accepted < 100_000 {
					if r.full = c.Send(numbered(r.accepted, size)); r.full == nil {
						r.accepted++
					}
				}
				c.Close()
				r.closed = c.Send([]byte("late"))
				results <- r
			}
		})
		c := dial(t, w)
		c.Write([]byte{0, 0, 0, 4})
		r := receive(t, results, "results of Send")
		if !errors.Is(r.full, ErrBufferFull) || !errors.Is(r.closed, ErrClosed) {
			t.Errorf("full %v, closed %v", r.full, r.closed)
		}
		got, err := io.ReadAll(c)
		if err != nil || len(got) != r.accepted*(size+4) {
			t.Fatalf("%d bytes arrived, %d messages of %d accepted, %v", len(got), r.accepted, size, err)
		}
		for i := range r.accepted {
			part := got[i*(size+4):][:size+4]
			if binary.BigEndian.Uint32(part) != size+4 || !bytes.Equal(part[4:], numbered(i, size)) {
				t.Fatalf("message %d is damaged", i)
			}
		}
		if n := w.Stats().SendFail; n != 1 {
			t.Errorf("send_fail is %d", n)
		}
		_ = s
	})
}

func TestSendFromManyGoroutinesNeverMixes(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		const senders, each = 16, 300
		_, w := serve(t, k, "frame", func(w *Worker) {
			w.MaxSendBuffer = 1 << 30
			w.OnConnect = func(c *Conn) {
				for g := range senders {
					go func() {
						for i := range each {
							size := 16 + (g*each+i)*37%40_000
							m := numbered(g, size)
							binary.BigEndian.PutUint64(m, uint64(g)<<32|uint64(i))
							if err := c.Send(m); err != nil {
								t.Errorf("sender %d: %v", g, err)
							}
						}
					}()
				}
			}
		})
		c := bufio.NewReader(dial(t, w))
		next := make([]int, senders)
		for range senders * each {
			m, err := readFrame(c)
			if err != nil {
				t.Fatal(err)
			}
			id := binary.BigEndian.Uint64(m)
			g, i := int(id>>32), int(uint32(id))
			want := numbered(g, 16+(g*each+i)*37%40_000)
			if i != next[g] || !bytes.Equal(m[8:], want[8:]) {
				t.Fatalf("sender %d: message %d, want %d, or damaged", g, i, next[g])
			}
			next[g]++
		}
	})
}

// readFrame reads one message of the frame protocol.
func readFrame(r io.Reader) ([]byte, error) {
	head := make([]byte, frame.HeaderSize)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	m := make([]byte, binary.BigEndian.Uint32(head)-frame.HeaderSize)
	_, err := io.ReadFull(r, m)
	return m, err
}

func TestBufferFullThenDrain(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocking=%v", blocking), func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				full, drained := make(chan int, 100), make(chan int, 100)
				_, w := serve(t, k, "tcp", func(w *Worker) {
					w.Blocking = blocking
					w.OnConnect = func(c *Conn) { c.Send(make([]byte, 32<<20)) }
					w.OnBufferFull = func(c *Conn) { full <- c.Stats().SendQueue }
					w.OnBufferDrain = func(c *Conn) { drained <- c.Stats().SendQueue }
				})
				c := dial(t, w)
				if n := receive(t, full, "OnBufferFull"); n < DefaultMaxSendBuffer {
					t.Errorf("OnBufferFull with %d bytes queued", n)
				}
				if len(drained) > 0 {
					t.Error("OnBufferDrain before anything was read")
				}
				go io.Copy(io.Discard, c)
				if n := receive(t, drained, "OnBufferDrain"); n != 0 {
					t.Errorf("OnBufferDrain with %d bytes queued", n)
				}
				c.Close()
			})
		})
	}
}

func TestFullPolicies(t *testing.T) {
	for _, policy := range []FullPolicy{RefuseWhenFull, CloseWhenFull} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				refused, closed := make(chan error, 1), make(chan error, 1)
				_, w := serve(t, k, "tcp", func(w *Worker) {
					w.FullPolicy = policy
					w.OnConnect = func(c *Conn) {
						c.Send(make([]byte, 32<<20))
						c.Send([]byte("one too many"))
					}
					w.OnError = func(c *Conn, err error) { refused <- err }
					w.OnClose = func(c *Conn) { closed <- c.Err() }
				})
				dial(t, w)
				tell, silent := refused, closed
				if policy == CloseWhenFull {
					tell, silent = closed, refused
				}
				if err := receive(t, tell, "the news"); !errors.Is(err, ErrBufferFull) {
					t.Errorf("told %v", err)
				}
				if len(silent) > 0 {
					t.Error("refused and closed")
				}
			})
		})
	}
}

// faults are what bad peers do, and what the log line about it must say.
func TestFaultsCloseOneConnectionWithOneLine(t *testing.T) {
	faults := []struct {
		name   string
		scheme string
		send   string
		reason error
		words  string
	}{
		{"oversize frame", "frame", "\x00\x10\x00\x00", ErrTooLarge, "1048576 bytes"},
		{"frame length below 4", "frame", "\x00\x00\x00\x03abc", frame.ErrLength, "below 4"},
		{"never-ending line", "text", strings.Repeat("x", 70_000), ErrTooLarge, "without an end"},
		{"oversize line", "text", strings.Repeat("x", 70_000) + "\n", ErrTooLarge, "MaxPackageSize"},
		{"silence", "text", "", ErrIdle, "nothing received"},
		{"half a message", "text", "half", ErrHandshake, "no message within"},
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				closed := make(chan error, 2)
				s, w := serve(t, k, f.scheme, func(w *Worker) {
					w.MaxPackageSize = 65536
					w.OnMessage = func(c *Conn, data []byte) { c.Send(data) }
					w.OnClose = func(c *Conn) { closed <- c.Err() }
					switch f.reason {
					case ErrIdle:
						w.IdleTimeout = 50 * time.Millisecond
					case ErrHandshake:
						w.HandshakeTimeout = 50 * time.Millisecond
					}
				})
				c := dial(t, w)
				io.WriteString(c, f.send)
				if err := receive(t, closed, "OnClose"); !errors.Is(err, f.reason) {
					t.Errorf("Err is %v, want %v", err, f.reason)
				}
				if rest, err := io.ReadAll(c); len(rest) > 0 {
					t.Errorf("the client got %q, %v", rest, err)
				}
				peer := c.LocalAddr().String()
				if k.network == "unix" {
					peer = "unix"
				}
				if lines := s.log.lines("connection closed", "worker=under-test", "peer="+peer, f.words); len(lines) != 1 || len(s.log.lines("connection closed")) != 1 {
					t.Errorf("log:\n%s", s.log)
				}
			})
		})
	}
}

func TestOthersAreServedBesideABadPeer(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		closed := make(chan error, 1)
		_, w := serve(t, k, "frame", func(w *Worker) {
			w.OnMessage = func(c *Conn, data []byte) { c.Send(data) }
			w.OnClose = func(c *Conn) { closed <- c.Err() }
		})
		good, bad := dial(t, w), dial(t, w)
		bad.Write([]byte{0xff, 0xff, 0xff, 0xff})
		receive(t, closed, "OnClose of the bad peer")
		for i := range 100 {
			m, _ := frame.Append(nil, numbered(i, 100))
			good.Write(m)
			if got, err := readFrame(good); err != nil || !bytes.Equal(got, numbered(i, 100)) {
				t.Fatalf("%q, %v", got, err)
			}
		}
	})
}

func TestResetInTheMiddle(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		for _, paused := range []bool{false, true} {
			closed := make(chan error, 1)
			got := make(chan struct{}, 1)
			_, w := serve(t, k, "frame", func(w *Worker) {
				w.OnConnect = func(c *Conn) {
					if paused {
						c.PauseRecv()
					}
					c.Send(make([]byte, 8<<20))
					got <- struct{}{}
				}
				w.OnClose = func(c *Conn) { closed <- c.Err() }
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

func TestPanicClosesThatConnectionAlone(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		for _, where := range []string{"OnConnect", "OnMessage", "OnClose", "timer", "Post"} {
			t.Run(fmt.Sprintf("%s/blocking=%v", where, blocking), func(t *testing.T) {
				kinds(t, func(t *testing.T, k kind) {
					var first atomic.Bool
					first.Store(true)
					s, w := serve(t, k, "text", func(w *Worker) {
						w.Blocking = blocking
						may := func(at string) {
							if at == where && first.CompareAndSwap(true, false) {
								panic("on purpose in " + at)
							}
						}
						w.OnConnect = func(c *Conn) { may("OnConnect") }
						w.OnMessage = func(c *Conn, data []byte) {
							c.After(0, func() { may("timer") })
							c.Post(func() { may("Post") })
							may("OnMessage")
							if string(data) == "close" {
								c.Close()
							}
							c.Send(data)
						}
						w.OnClose = func(c *Conn) { may("OnClose") }
					})
					bad := dial(t, w)
					if where == "OnClose" {
						io.WriteString(bad, "close\n")
					} else {
						io.WriteString(bad, "hello\n")
					}
					io.ReadAll(bad)
					bad.Close()
					eventually(t, "the panic is reported", func() bool {
						return len(s.log.lines("panic in a callback", "on purpose in "+where, "contract_test.go")) == 1
					})
					eventually(t, "the connection is gone", func() bool { return w.Stats().Connections == 0 })
					if n := w.Stats().Panics; where != "OnClose" && n != 1 {
						t.Errorf("%d panics counted", n)
					}
					good := dial(t, w)
					io.WriteString(good, "still here\n")
					if line, err := bufio.NewReader(good).ReadString('\n'); line != "still here\n" {
						t.Errorf("%q, %v", line, err)
					}
				})
			})
		}
	}
}

func TestExitOnPanic(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		checkLeaks(t)
		m := &Master{Portable: k.portable, ExitOnPanic: true, Logger: discardLogger()}
		w := m.NewWorker("text://127.0.0.1:0")
		w.OnMessage = func(c *Conn, data []byte) { panic("on purpose") }
		bound := make(chan struct{})
		w.OnWorkerStart = func(*Worker) error { close(bound); return nil }
		done := make(chan error, 1)
		go func() { done <- m.Run(t.Context()) }()
		receive(t, bound, "OnWorkerStart")
		c := dial(t, w)
		io.WriteString(c, "x\n")
		var p *PanicError
		if err := receive(t, done, "Run"); !errors.As(err, &p) || p.Value != "on purpose" {
			t.Errorf("Run returned %v", err)
		}
	})
}

func TestLargeAnswersDoNotMix(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		const clients, size = 8, 8 << 20
		_, w := serve(t, k, "text", func(w *Worker) {
			w.MaxSendBuffer = 2 * size
			w.OnMessage = func(c *Conn, data []byte) {
				c.Send([]byte("small before"))
				c.Send(bytes.Repeat(data[:1], size)) // more than the peer takes at once
				c.Send([]byte("small after"))
				c.Close()
			}
		})
		conns := make([]net.Conn, clients)
		for i := range conns {
			conns[i] = dial(t, w)
			fmt.Fprintf(conns[i], "%c\n", 'a'+i) // all are answered before the first one reads
		}
		for i, c := range conns {
			got, err := io.ReadAll(c)
			want := "small before\n" + strings.Repeat(string(rune('a'+i)), size) + "\nsmall after\n"
			if err != nil || string(got) != want {
				t.Fatalf("client %d got %d bytes, not its own %d, %v", i, len(got), len(want), err)
			}
			c.Close()
		}
	})
}

func TestNothingReachesAnotherConnection(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "text", func(w *Worker) {
			w.OnMessage = func(c *Conn, data []byte) {
				c.Send(data)
				if bytes.HasSuffix(data, []byte("last")) {
					c.Close()
				}
				late := []byte("late for " + string(data))
				go c.Send(late) // must not go astray when the connection is gone
			}
		})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 50 {
					c, err := net.Dial(w.Addr().Network(), w.Addr().String())
					if err != nil {
						t.Error(err)
						return
					}
					name := fmt.Sprintf("<%d-%d>", g, i)
					fmt.Fprintf(c, "%s first\n%s last\n", name, name)
					got, _ := io.ReadAll(c)
					for line := range strings.Lines(string(got)) {
						if !strings.Contains(line, name) {
							t.Errorf("%s got %q", name, line)
						}
					}
					c.Close()
				}
			})
		}
		wg.Wait()
	})
}
