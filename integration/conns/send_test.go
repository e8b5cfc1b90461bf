package conns

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
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/frame"
)

// The contract of a connection, line by line, on both engines and both transports: what it sends.

func TestSendResults(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		type result struct {
			accepted int
			full     error
			closed   error
		}
		results := make(chan result, 1)
		const size = 10_000
		s, w := serve(t, k, "frame", func(w *workerman.Worker) {
			w.MaxSendBuffer = 100_000
			w.OnMessage = func(c *workerman.Conn, _ []byte) {
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
		if !errors.Is(r.full, workerman.ErrBufferFull) || !errors.Is(r.closed, workerman.ErrClosed) {
			t.Errorf("full %v, closed %v, want %v, %v", r.full, r.closed, workerman.ErrBufferFull, workerman.ErrClosed)
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
			t.Errorf("SendFail is %d, want 1", n)
		}
		_ = s
	})
}

func TestSendFromManyGoroutinesNeverMixes(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		const senders, each = 16, 300
		_, w := serve(t, k, "frame", func(w *workerman.Worker) {
			w.MaxSendBuffer = 1 << 30
			w.OnConnect = func(c *workerman.Conn) {
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
				t.Fatalf("next message: %v", err)
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
				_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
					w.Blocking = blocking
					w.OnConnect = func(c *workerman.Conn) { c.Send(make([]byte, 32<<20)) }
					w.OnBufferFull = func(c *workerman.Conn) { full <- c.Stats().SendQueue }
					w.OnBufferDrain = func(c *workerman.Conn) { drained <- c.Stats().SendQueue }
				})
				c := dial(t, w)
				if n := receive(t, full, "OnBufferFull"); n < workerman.DefaultMaxSendBuffer {
					t.Errorf("OnBufferFull with %d bytes queued, want at least %d", n, workerman.DefaultMaxSendBuffer)
				}
				if len(drained) > 0 {
					t.Error("OnBufferDrain before anything was read")
				}
				go io.Copy(io.Discard, c)
				if n := receive(t, drained, "OnBufferDrain"); n != 0 {
					t.Errorf("OnBufferDrain with %d bytes queued, want 0", n)
				}
				c.Close()
			})
		})
	}
}

func TestFullPolicies(t *testing.T) {
	for _, policy := range []workerman.FullPolicy{workerman.RefuseWhenFull, workerman.CloseWhenFull} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				refused, closed := make(chan error, 1), make(chan error, 1)
				_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
					w.FullPolicy = policy
					w.OnConnect = func(c *workerman.Conn) {
						c.Send(make([]byte, 32<<20))
						c.Send([]byte("one too many"))
					}
					w.OnError = func(c *workerman.Conn, err error) { refused <- err }
					w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
				})
				dial(t, w)
				tell, silent := refused, closed
				if policy == workerman.CloseWhenFull {
					tell, silent = closed, refused
				}
				if err := receive(t, tell, "the news"); !errors.Is(err, workerman.ErrBufferFull) {
					t.Errorf("told %v, want %v", err, workerman.ErrBufferFull)
				}
				if len(silent) > 0 {
					t.Error("refused and closed")
				}
			})
		})
	}
}

func TestLargeAnswersDoNotMix(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		const clients, size = 8, 8 << 20
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.MaxSendBuffer = 2 * size
			w.OnMessage = func(c *workerman.Conn, data []byte) {
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
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
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
						t.Errorf("dial: %v", err)
						return
					}
					name := fmt.Sprintf("<%d-%d>", g, i)
					fmt.Fprintf(c, "%s first\n%s last\n", name, name)
					got, _ := io.ReadAll(c)
					for line := range strings.Lines(string(got)) {
						if !strings.Contains(line, name) {
							t.Errorf("%s got %q, want its own name in it", name, line)
						}
					}
					c.Close()
				}
			})
		}
		wg.Wait()
	})
}
