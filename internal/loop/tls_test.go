package loop

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

// certificate is one for the name "test".
var certificate = sync.OnceValue(func() tls.Certificate {
	return testkit.NewAuthority("authority").Certificate("test")
})

func serverConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate()}}
}

func clientConfig() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, ServerName: "test"}
}

// security is one way to run a test of TLS.
type security struct {
	engine  Engine
	version uint16
	role    Role // of the stream
}

// configs are those of the stream and of its peer.
func (k security) configs() (own, peer *tls.Config) {
	server, client := serverConfig(), clientConfig()
	for _, c := range []*tls.Config{server, client} {
		c.MinVersion, c.MaxVersion = k.version, k.version
	}
	if k.role == Server {
		return server, client
	}
	return client, server
}

// over is the peer's side of the encryption on c.
func (k security) over(c net.Conn, config *tls.Config) *tls.Conn {
	if k.role == Server {
		return tls.Client(c, config)
	}
	return tls.Server(c, config)
}

// securities runs a test on both engines, with TLS 1.2 and 1.3, in both roles.
func securities(t *testing.T, test func(t *testing.T, k security)) {
	engines(t, func(t *testing.T, e Engine) {
		for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			for role, name := range []string{"server", "client"} {
				t.Run(fmt.Sprintf("%s/%s", tls.VersionName(v), name), func(t *testing.T) { test(t, security{e, v, Role(role)}) })
			}
		}
	})
}

// serveTLS starts a server whose conns are encrypted from the start; configure may be nil.
func serveTLS(t testing.TB, e Engine, role Role, config *tls.Config, configure func(*conn)) *server {
	return serve(t, e, "tcp", func(c *conn) {
		if configure != nil {
			configure(c)
		}
		c.attached = func(c *conn) {
			if err := c.StartTLS(config, role); err != nil {
				t.Errorf("StartTLS: %v", err)
			}
		}
	})
}

// secure connects, does the handshake from the peer's side and waits for the other.
func (s *server) secure(k security, config *tls.Config) (*client, *conn) {
	s.t.Helper()
	raw, stream := s.connect()
	c := k.over(raw.Conn, config)
	if err := c.Handshake(); err != nil {
		s.t.Fatal(err)
	}
	until(s.t, "both sides are done", func() bool { return stream.TLSState() != nil })
	return &client{c, s.t}, stream
}

func TestTLSEcho(t *testing.T) {
	securities(t, func(t *testing.T, k security) {
		own, peer := k.configs()
		secured := make(chan error, 1)
		s := serveTLS(t, k.engine, k.role, own, func(c *conn) {
			c.secured = func(c *conn, err error) { secured <- err }
		})
		c, stream := s.secure(k, peer)
		for i, size := range []int{1, 2, 100, 1300, 16 << 10, 16<<10 + 1, 70_000, 3 << 20, 5} {
			m := pattern(size, byte(i))
			go c.write(m)
			c.expect(m)
		}
		if err := await(t, secured); err != nil {
			t.Errorf("Secured(%v)", err)
		}
		if state := stream.TLSState(); state == nil || state.Version != k.version {
			t.Errorf("state %+v", state)
		}
		if err := c.Conn.(*tls.Conn).CloseWrite(); err != nil {
			t.Error(err)
		}
		c.expectEnd(nil)
		c.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
		if stream.ends.Load() != 1 {
			t.Error("EndOfInput was not called")
		}
	})
}

// This is what the whole construction rests on: crypto/tls must go on after each temporary
// error, wherever in a record or handshake message it falls.
func TestTLSByteByByte(t *testing.T) {
	securities(t, func(t *testing.T, k security) {
		own, peer := k.configs()
		own.ClientSessionCache = tls.NewLRUClientSessionCache(1) // tickets are in the stream
		s := serveTLS(t, k.engine, k.role, own, nil)
		on(t, s.loop, func() { s.loop.records = make([]byte, 1) })
		c, stream := s.secure(k, peer)
		m := pattern(54_000, 1)
		go c.write(m)
		c.expect(m)
		for i := range 20 {
			c.write(m[i : 2*i+1])
			c.expect(m[i : 2*i+1])
		}
		c.Conn.(*tls.Conn).CloseWrite()
		c.expectEnd(nil)
		c.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
	})
}

// A stream in the client's role takes the tickets that a server sends behind the handshake.
func TestTLSResumptionAsClient(t *testing.T) {
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		k := security{Native, v, Client}
		own, peer := k.configs()
		own.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		s := serveTLS(t, k.engine, k.role, own, nil)
		for i := range 2 {
			c, stream := s.secure(k, peer)
			c.write([]byte("x"))
			c.expect([]byte("x"))
			if got := stream.TLSState().DidResume; got != (i == 1) {
				t.Errorf("%s, connection %d: resumed %v", tls.VersionName(v), i, got)
			}
			c.Close()
			await(t, stream.closed)
		}
	}
}

// A header in clear, as a proxy sends it, may come first, with the beginning of the handshake
// behind it or not.
func TestStartTLSBehindClearText(t *testing.T) {
	header := []byte("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n")
	greeting := []byte("220 ready\r\n")
	engines(t, func(t *testing.T, e Engine) {
		for _, together := range []bool{true, false} {
			s := serve(t, e, "tcp", func(c *conn) {
				c.receive = func(c *conn, b []byte) (int, int) {
					end := bytes.IndexByte(b, '\n') + 1
					if end == 0 {
						return 0, 0
					}
					c.receive = nil
					c.send(greeting)
					if err := c.StartTLS(serverConfig(), Server); err != nil {
						t.Error(err)
					}
					return end, 0
				}
			})
			raw, _ := s.connect()
			raw.write(header[:9])
			if !together {
				raw.write(header[9:])
				raw.expect(greeting)
				c := client{tls.Client(raw.Conn, clientConfig()), t}
				c.write([]byte("hello"))
				c.expect([]byte("hello"))
				c.Close()
				continue
			}
			c := client{tls.Client(&prefixed{Conn: raw.Conn, head: header[9:], skip: len(greeting)}, clientConfig()), t}
			c.write([]byte("hello"))
			c.expect([]byte("hello"))
			c.Close()
		}
	})
}

// prefixed writes head together with the first write and drops what is read first.
type prefixed struct {
	net.Conn
	head []byte
	skip int
}

func (p *prefixed) Write(b []byte) (int, error) {
	head := p.head
	p.head = nil
	_, err := p.Conn.Write(append(head, b...))
	return len(b), err
}

func (p *prefixed) Read(b []byte) (int, error) {
	if p.skip > 0 {
		if _, err := io.ReadFull(p.Conn, make([]byte, p.skip)); err != nil {
			return 0, err
		}
		p.skip = 0
	}
	return p.Conn.Read(b)
}

func TestStartTLSWhereItMakesNoSense(t *testing.T) {
	s := serve(t, Native, "tcp", nil)
	_, stream := s.connect()
	on(t, s.loop, func() {
		stream.sendLarge(make([]byte, 16<<20))
		if err := stream.StartTLS(serverConfig(), Server); err == nil {
			t.Error("output in clear waits and StartTLS says nothing")
		}
	})
	_, stream = s.connect()
	on(t, s.loop, func() {
		if err := stream.StartTLS(serverConfig(), Server); err != nil {
			t.Error(err)
		}
		if err := stream.StartTLS(serverConfig(), Server); err == nil {
			t.Error("StartTLS works twice")
		}
		stream.Destroy(ErrDestroyed)
		if err := stream.StartTLS(serverConfig(), Server); !errors.Is(err, net.ErrClosed) {
			t.Errorf("StartTLS of a closed stream: %v", err)
		}
	})
}

// Pause holds decrypted and encrypted input alike, and Resume lets all of it go on although
// the socket has nothing more.
func TestTLSPauseAndResume(t *testing.T) {
	securities(t, func(t *testing.T, k security) {
		own, peer := k.configs()
		const reason = 1
		got := make(chan byte, 1000)
		s := serveTLS(t, k.engine, k.role, own, func(c *conn) {
			c.receive = func(c *conn, b []byte) (int, int) {
				c.Pause(reason)
				got <- b[0]
				return 1, 0
			}
		})
		c, stream := s.secure(k, peer)
		var all []byte
		for i := range 100 { // records of a few bytes, that arrive together
			all = append(all, byte(i), byte(i+100))
		}
		for i := 0; i < len(all); i += 2 {
			c.write(all[i : i+2])
		}
		for _, want := range all {
			if b := await(t, got); b != want {
				t.Fatalf("got %d, want %d", b, want)
			}
			if len(got) != 0 {
				t.Fatal("input in spite of Pause")
			}
			stream.Resume(reason)
		}
	})
}
