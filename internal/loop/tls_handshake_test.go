package loop

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// handshakes is the number of goroutines that shake hands.
func handshakes() int {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	return strings.Count(string(buf), "(*tlsLayer).shakeHands(")
}

// A connection costs a goroutine from the first byte to the end of the handshake only.
func TestNoGoroutineWhileIdle(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		k := security{engine: e}
		s := serveTLS(t, e, Server, serverConfig(), nil)
		silent, _ := s.connect()
		for range 20 {
			c, _ := s.secure(k, clientConfig())
			c.write([]byte("x"))
			c.expect([]byte("x"))
		}
		if n := handshakes(); n != 0 {
			t.Errorf("%d goroutines", n)
		}
		silent.write([]byte{22})
		until(t, "the handshake begins", func() bool { return handshakes() == 1 })
	})
}

func TestHandshakeThatFails(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		for _, test := range []struct {
			name  string
			talk  func(c *client) error // what a client does, and what it sees
			seen  string
			check func(err error) bool
		}{
			{"plain HTTP", func(c *client) error {
				c.write([]byte("GET / HTTP/1.1\r\n\r\n"))
				_, err := io.ReadAll(c)
				return err
			}, "", func(err error) bool {
				var header tls.RecordHeaderError
				return errors.As(err, &header) && string(header.RecordHeader[:]) == "GET /"
			}},
			{"no common version", func(c *client) error {
				config := clientConfig()
				config.MaxVersion = tls.VersionTLS12
				return tls.Client(c, config).Handshake()
			}, "protocol version", func(err error) bool { return strings.Contains(err.Error(), "version") }},
			{"end in the middle", func(c *client) error {
				c.write([]byte{22, 3})
				c.closeWrite()
				_, err := io.ReadAll(c)
				return err
			}, "", func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }},
			{"panic of a callback", func(c *client) error {
				config := clientConfig()
				config.ServerName = "panic"
				return tls.Client(c, config).Handshake()
			}, "EOF", func(err error) bool { return strings.Contains(err.Error(), "panic in a callback") }},
		} {
			t.Run(test.name, func(t *testing.T) {
				failed := make(chan error, 2)
				config := serverConfig()
				config.MinVersion = tls.VersionTLS13
				config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
					if h.ServerName == "panic" {
						panic("as asked for")
					}
					return nil, nil
				}
				s := serveTLS(t, e, Server, config, func(c *conn) {
					c.secured = func(c *conn, err error) { failed <- err }
				})
				c, stream := s.connect()
				stream.send([]byte("waits for the handshake"))
				err := test.talk(c)
				if test.seen == "" && err != nil || test.seen != "" && (err == nil || !strings.Contains(err.Error(), test.seen)) {
					t.Errorf("the client sees %v", err)
				}
				c.Close()
				if err := await(t, failed); err == nil || !test.check(err) {
					t.Errorf("Secured(%v)", err)
				}
				if err := await(t, stream.closed); err != nil {
					t.Errorf("Closed(%v)", err)
				}
				if stream.TLSState() != nil {
					t.Error("there is a state")
				}
			})
		}
	})
}

// Who connects and leaves without a word is no failure.
func TestNoHandshakeAtAll(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serveTLS(t, e, Server, serverConfig(), func(c *conn) {
			c.secured = func(c *conn, err error) { t.Errorf("Secured(%v)", err) }
		})
		c, stream := s.connect()
		c.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
	})
}

// The owner's deadline, Close and Destroy end a handshake, and its goroutine.
func TestHandshakeIsCutShort(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		for _, way := range []string{"deadline", "Close", "Destroy", "reset"} {
			s := serveTLS(t, e, Server, serverConfig(), func(c *conn) {
				c.secured = func(c *conn, err error) { t.Errorf("%s: Secured(%v)", way, err) }
				c.deadline = func(c *conn, now int64) int64 {
					c.Close()
					return 0
				}
			})
			c, stream := s.connect()
			c.write([]byte{22, 3, 1})
			until(t, "the handshake begins", func() bool { return handshakes() == 1 })
			stream.send([]byte("x"))
			switch way {
			case "deadline":
				on(t, s.loop, func() { stream.SetDeadline(s.loop.Now() + 1) })
			case "Close":
				stream.Close()
			case "Destroy":
				stream.Destroy(ErrDestroyed)
			default:
				c.reset()
			}
			if err := await(t, stream.closed); (err == nil) != (way == "deadline" || way == "Close") {
				t.Errorf("%s: Closed(%v)", way, err)
			}
			until(t, "the goroutine ends", func() bool { return handshakes() == 0 })
		}
	})
}

// Clients that stop in the middle of their handshake must not keep others out.
func TestSlowHandshakesHoldNoSlot(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serveTLS(t, e, Server, serverConfig(), nil)
		slow := 4 * cap(handshakeSlots)
		for range slow {
			c, _ := s.connect()
			c.write([]byte{22, 3, 1, 2, 0, 1})
		}
		until(t, "they wait", func() bool { return handshakes() == slow })
		c, _ := s.secure(security{engine: e}, clientConfig())
		c.write([]byte("x"))
		c.expect([]byte("x"))
	})
}

// What a client sends while its handshake does not read must not pile up.
func TestInputDuringAHandshakeIsBounded(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		held, release := make(chan struct{}), make(chan struct{})
		config := serverConfig()
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			close(held)
			<-release
			return nil, nil
		}
		done := make(chan error, 1)
		s := serveTLS(t, e, Server, config, func(c *conn) {
			c.secured = func(c *conn, err error) { done <- err }
		})
		raw, stream := s.connect()
		go tls.Client(raw.Conn, clientConfig()).Handshake()
		await(t, held)
		written := make(chan error, 1)
		go func() {
			_, err := raw.Write(make([]byte, 8<<20))
			written <- err
		}()
		until(t, "reading stops", stream.Paused)
		on(t, s.loop, func() {
			if n := stream.tls().hs.in.Len(); n != handshakeInput {
				t.Errorf("%d bytes are held", n)
			}
		})
		close(release)
		if err := await(t, done); err == nil {
			t.Error("the handshake succeeds with rubbish in it")
		}
		raw.Close()
		await(t, written)
		await(t, stream.closed)
	})
}

// A client may send behind its handshake at once, and end.
func TestInputRightBehindTheHandshake(t *testing.T) {
	securities(t, func(t *testing.T, k security) {
		own, peer := k.configs()
		s := serveTLS(t, k.engine, k.role, own, nil)
		c, stream := s.secure(k, peer)
		m := pattern(10_000, 1)
		c.write(m)
		c.Conn.(*tls.Conn).CloseWrite()
		c.Conn.(*tls.Conn).NetConn().(*net.TCPConn).CloseWrite()
		c.expectEnd(m)
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
	})
}

func TestManyHandshakesAtATime(t *testing.T) {
	const clients = 100
	engines(t, func(t *testing.T, e Engine) {
		s := serveTLS(t, e, Server, serverConfig(), nil)
		var all sync.WaitGroup
		for i := range clients {
			c := s.dial()
			all.Go(func() {
				m := pattern(1000+i, byte(i))
				secured := tls.Client(c.Conn, clientConfig())
				got := make([]byte, len(m))
				_, err := secured.Write(m)
				if err == nil {
					_, err = io.ReadFull(secured, got)
				}
				if err != nil {
					t.Error(err)
					return
				}
				same(t, got, m)
			})
		}
		all.Wait()
	})
}

// The callbacks of a configuration see both addresses.
func TestAddressesInAHandshake(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		seen := make(chan [2]string, 1)
		config := serverConfig()
		config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			seen <- [2]string{h.Conn.LocalAddr().String(), h.Conn.RemoteAddr().String()}
			return nil, nil
		}
		s := serveTLS(t, e, Server, config, nil)
		c, _ := s.secure(security{engine: e}, clientConfig())
		if got, want := await(t, seen), [2]string{c.RemoteAddr().String(), c.LocalAddr().String()}; got != want {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// However a ClientHello is cut, the parts are records that hold what it held.
func TestCutOfAClientHello(t *testing.T) {
	for _, size := range []int{1, 100, 571, 572, 1700, maxRecord, maxRecord + 1} {
		for _, room := range []int{5, 6, 64, 576, 1000, 64 << 10} {
			for _, arrived := range []int{9, 10, 577, size, size + 5} {
				record := append([]byte{22, 3, 1, byte(size >> 8), byte(size)}, pattern(size, byte(room))...)
				checkCut(t, record, room, min(arrived, len(record)))
			}
		}
	}
	for _, first := range []byte{20, 21, 23, 'G'} {
		record := append([]byte{first, 3, 1, 4, 0}, make([]byte, 1024)...)
		if cuts := checkCut(t, record, 100, len(record)); cuts != 0 {
			t.Errorf("a record of type %d was cut", first)
		}
	}
}

func FuzzCutOfAClientHello(f *testing.F) {
	f.Add(append([]byte{22, 3, 1, 4, 0}, make([]byte, 1024)...), uint16(576), uint16(1029))
	f.Add([]byte("\x16\x03\x01\x00\x00more"), uint16(5), uint16(9))
	f.Fuzz(func(t *testing.T, record []byte, room, arrived uint16) {
		checkCut(t, record, int(room), min(int(arrived), len(record)))
	})
}

// checkCut cuts as long as it can when a part of a record has arrived, and returns how often.
func checkCut(t *testing.T, record []byte, room, arrived int) (cuts int) {
	hs := new(handshake)
	hs.in.Write(record[:arrived])
	var got []byte
	p := make([]byte, room)
	for n := hs.cut(p); n > 0; n = hs.cut(p) {
		cuts++
		if n > room || n <= 5 || int(p[3])<<8|int(p[4]) != n-5 || !bytes.Equal(p[:3], record[:3]) {
			t.Fatalf("%d bytes, room %d: a part of %d bytes begins with % x", len(record), room, n, p[:min(n, 5)])
		}
		got = append(got, p[5:n]...)
	}
	hs.in.Write(record[arrived:])
	rest := hs.in.Bytes()
	if cuts == 0 {
		if !bytes.Equal(rest, record) {
			t.Fatal("it was changed but not cut")
		}
		return 0
	}
	size := int(record[3])<<8 | int(record[4])
	if left := int(rest[3])<<8 | int(rest[4]); size > maxRecord || size+5 <= room || left != size-len(got) || !bytes.Equal(rest[:3], record[:3]) {
		t.Fatalf("%d bytes, room %d, arrived %d: the rest begins with % x", len(record), room, arrived, rest[:5])
	}
	if got = append(got, rest[5:]...); !bytes.Equal(got, record[5:]) {
		t.Fatalf("%d bytes, room %d, arrived %d: not what it was", len(record), room, arrived)
	}
	return cuts
}
