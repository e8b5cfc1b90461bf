package workerman

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/tlsfiles"
)

func TestTLSWithEveryProtocol(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, scheme := range []string{"ssl", "tcp", "text", "text+ssl", "frame"} {
			if k.network == "unix" {
				if strings.Contains(scheme, "ssl") {
					continue
				}
			}
			t.Run(scheme, func(t *testing.T) {
				states := make(chan *tls.ConnectionState, 2)
				_, w, a := serveTLS(t, k, scheme, func(w *Worker) {
					echo(w)
					w.OnConnect = func(c *Conn) { states <- c.TLSState() }
				})
				c := dialTLS(t, w, a.client("a.test"))
				name, _, _ := strings.Cut(scheme, "+")
				if name == "ssl" {
					name = "tcp"
				}
				for _, size := range []int{1, 64, 5000, 200_000} {
					m := bytes.Repeat([]byte("x"), size)
					if p, _ := findProtocol(name); p != nil {
						m, _ = p.Encode(nil, nil, m)
					}
					go c.Write(m)
					got := make([]byte, len(m))
					if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, m) {
						t.Fatalf("%d bytes: %v", size, err)
					}
				}
				if s := receive(t, states, "OnConnect"); s == nil || s.Version != tls.VersionTLS13 || s.ServerName != "a.test" {
					t.Errorf("state %+v", s)
				}
				for conn := range w.Connections() {
					if got := conn.Transport(); got != k.network {
						t.Errorf("Transport is %q", got)
					}
				}
			})
		}
	})
}

func TestTLSStateInClear(t *testing.T) {
	_, w := serve(t, kind{network: "tcp"}, "text", echo)
	c := dial(t, w)
	c.Write([]byte("x\n"))
	io.ReadFull(c, make([]byte, 2))
	for conn := range w.Connections() {
		if conn.TLSState() != nil {
			t.Error("a connection in clear has a state")
		}
	}
}

func TestPlainAddress(t *testing.T) {
	for _, test := range []struct {
		address, transport string
		plain, over        string
		secure             bool
	}{
		{"text://h:1", "", "text://h:1", "", false},
		{"TEXT://h:1", "udp", "text://h:1", "udp", false},
		{"ssl://h:1", "", "tcp://h:1", "", true},
		{"TLS://h:1", "tcp", "tcp://h:1", "tcp", true},
		{"https://h:1", "", "http://h:1", "", true},
		{"wss://h:1", "", "websocket://h:1", "", true},
		{"ws://h:1", "", "websocket://h:1", "", false},
		{"ws+ssl://h:1", "", "websocket://h:1", "", true},
		{"ws+unix:///p", "", "websocket+unix:///p", "", false},
		{"text+tls://h:1", "", "text://h:1", "", true},
		{"http://h:1", "ssl", "http://h:1", "", true},
		{"h:1", "", "h:1", "", false},
		{"text+://h:1", "", "text+://h:1", "", false},
	} {
		plain, over, secure := plainAddress(test.address, test.transport)
		if plain != test.plain || over != test.over || secure != test.secure {
			t.Errorf("%s over %q: %s, %q, %v", test.address, test.transport, plain, over, secure)
		}
	}
}

func TestReservedSchemes(t *testing.T) {
	for name := range aliases {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s can be registered, and never be reached", name)
				}
			}()
			RegisterProtocol(name, textProtocol{})
		}()
	}
}

func TestTLSStartFailures(t *testing.T) {
	a := newAuthority(t, "authority")
	one, other := a.files(t, "a.test"), a.files(t, "b.test")
	dir := t.TempDir()
	write := func(name string, parts ...[]byte) string {
		path := filepath.Join(dir, name)
		writeFile(t, path, bytes.Join(parts, nil))
		return path
	}
	oldCert, oldKey := a.issue(t, "a.test", time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))
	expired := write("expired", oldCert, oldKey)
	earlyCert, earlyKey := a.issue(t, "a.test", time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))
	early := write("early", earlyCert, earlyKey)
	rubbish := write("rubbish", []byte("no PEM"))
	for _, test := range []struct {
		address string
		tls     ServerTLS
		words   string
	}{
		{"ssl://127.0.0.1:0", ServerTLS{}, "set TLS.CertFile and TLS.KeyFile; for a trial make them by: openssl req"},
		{"tcp://127.0.0.1:0", ServerTLS{Config: &tls.Config{}}, "TLS without a certificate"},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: "/no/such/file"}, "open /no/such/file"},
		{"tcp://127.0.0.1:0", ServerTLS{KeyFile: one.KeyFile}, "no CertFile beside it"},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: one.CertFile, KeyFile: "/no/such/key"}, "private key: open /no/such/key"},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: one.CertFile, KeyFile: other.KeyFile}, other.KeyFile + ": tls: private key does not match"},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: one.CertFile}, one.CertFile + " with key " + one.CertFile},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: rubbish}, rubbish},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: expired}, expired + " has expired on"},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: early}, early + " is not valid before"},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile, Certificates: []CertificateFiles{{CertFile: expired}}}, expired},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile, ClientCAFile: rubbish}, "client authorities: no certificate in PEM in " + rubbish},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile, ClientCAFile: "/no/such/ca"}, "/no/such/ca"},
		{"tcp://127.0.0.1:0", ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile, TicketSecret: []byte("short")}, "TicketSecret has 5 bytes"},
		{"udp://127.0.0.1:0", ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile}, "TLS needs an address with a stream"},
		{"", ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile}, "TLS needs an address with a stream"},
	} {
		m := &Master{Logger: discardLogger()}
		w := m.NewWorker(test.address)
		w.TLS = test.tls
		err := m.Run(context.Background())
		if start := new(StartError); !errors.As(err, &start) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s with %+v: %v, want %q", test.address, test.tls, err, test.words)
		}
	}
}

// One file may hold certificate and key, and Config alone may bring the certificate.
func TestTLSOtherSourcesOfCertificates(t *testing.T) {
	a := newAuthority(t, "authority")
	cert, key := a.issue(t, "a.test", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	one := filepath.Join(t.TempDir(), "both.pem")
	writeFile(t, one, append(cert, key...))
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, settings := range []ServerTLS{
		{CertFile: one},
		{Certificates: []CertificateFiles{{CertFile: one}}},
		{Config: &tls.Config{Certificates: []tls.Certificate{pair}}},
		{Config: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &pair, nil }}},
		{Config: &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
		}}},
	} {
		_, w := serve(t, kind{network: "tcp"}, "text+ssl", func(w *Worker) {
			w.TLS = settings
			echo(w)
		})
		if err := shakeHands(t, w, a.client("a.test")); err != nil {
			t.Errorf("%+v: %v", settings, err)
		}
	}
}

func TestTLSChoosesCertificateByName(t *testing.T) {
	a := newAuthority(t, "authority")
	first, second := a.files(t, "a.test"), a.files(t, "b.test")
	_, w := serve(t, kind{network: "tcp"}, "text+ssl", func(w *Worker) {
		w.TLS = ServerTLS{CertFile: first.CertFile, KeyFile: first.KeyFile, Certificates: []CertificateFiles{second}}
		echo(w)
	})
	for _, test := range []struct{ name, want string }{{"a.test", "a.test"}, {"b.test", "b.test"}, {"c.test", "a.test"}, {"", "a.test"}} {
		config := a.client(test.name)
		config.InsecureSkipVerify = true
		c := dialTLS(t, w, config)
		if got := c.ConnectionState().PeerCertificates[0].Subject.CommonName; got != test.want {
			t.Errorf("%q gets the certificate of %s", test.name, got)
		}
	}
}

func TestTLSClientCertificates(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		clients, strangers := newAuthority(t, "clients"), newAuthority(t, "strangers")
		caFile := filepath.Join(t.TempDir(), "ca.pem")
		writeFile(t, caFile, clients.pem())
		s, w, a := serveTLS(t, k, "text+ssl", func(w *Worker) {
			w.TLS.ClientCAFile = caFile
			w.OnMessage = func(c *Conn, data []byte) {
				c.Send([]byte(c.TLSState().PeerCertificates[0].Subject.CommonName))
			}
		})
		config := func(issuer *authority) *tls.Config {
			f := issuer.files(t, "me")
			pair, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
			if err != nil {
				t.Fatal(err)
			}
			config := a.client("a.test")
			config.Certificates = []tls.Certificate{pair}
			return config
		}
		c := dialTLS(t, w, config(clients))
		c.Write([]byte("who am I\n"))
		answer := make([]byte, 3)
		if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "me\n" {
			t.Errorf("%q, %v", answer, err)
		}
		if err := shakeHands(t, w, a.client("a.test")); err == nil || !strings.Contains(err.Error(), "certificate required") {
			t.Errorf("without a certificate: %v", err)
		}
		if err := shakeHands(t, w, config(strangers)); err == nil {
			t.Error("a stranger is let in")
		}
		eventually(t, "failures are counted", func() bool { return w.Stats().TLSFailures == 2 })
		if n := len(s.log.lines("TLS handshake failed", "under-test", "127.0.0.1:")); n != 2 {
			t.Errorf("%d lines\n%s", n, s.log)
		}
	})
}

func TestTLSVersionsAndALPN(t *testing.T) {
	a := newAuthority(t, "authority")
	f := a.files(t, "a.test")
	settings := ServerTLS{CertFile: f.CertFile, KeyFile: f.KeyFile}
	for _, test := range []struct {
		scheme string
		config *tls.Config // of the user
		want   []string
	}{
		{"http", nil, []string{"http/1.1"}},
		{"websocket", nil, []string{"http/1.1"}},
		{"text", nil, nil},
		{"http", &tls.Config{NextProtos: []string{"own"}}, []string{"own"}},
	} {
		settings.Config = test.config
		s, err := settings.newServer("w", test.scheme, new(Master), discardLogger())
		if err != nil {
			t.Fatal(err)
		}
		got := s.Current()
		if fmt.Sprint(got.NextProtos) != fmt.Sprint(test.want) || got.MinVersion != tls.VersionTLS12 {
			t.Errorf("%s: ALPN %q from version %x", test.scheme, got.NextProtos, got.MinVersion)
		}
	}
	settings.Config = &tls.Config{NextProtos: []string{"http/1.1"}}
	_, w := serve(t, kind{network: "tcp"}, "text+ssl", func(w *Worker) {
		w.TLS = settings
		echo(w)
	})
	for _, test := range []struct {
		protocols []string
		max       uint16
		fails     string
	}{
		{nil, 0, ""}, {[]string{"h2", "http/1.1"}, 0, ""}, {[]string{"h2"}, 0, "no application protocol"},
		{nil, tls.VersionTLS12, ""}, {nil, tls.VersionTLS11, "protocol version"},
	} {
		config := a.client("a.test")
		config.NextProtos, config.MinVersion, config.MaxVersion = test.protocols, tls.VersionTLS10, test.max
		err := shakeHands(t, w, config)
		if (err == nil) != (test.fails == "") || err != nil && !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%v, version %x: %v", test.protocols, test.max, err)
		}
	}
}

// A failed handshake is one line; the connection was none, so it has no callbacks.
func TestTLSFailures(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		var calls atomic.Int32
		s, w, _ := serveTLS(t, k, "text+ssl", func(w *Worker) {
			w.OnConnect = func(*Conn) { calls.Add(1) }
			w.OnClose = func(*Conn) { calls.Add(1) }
		})
		c := dial(t, w)
		c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		io.ReadAll(c)
		c.Close()
		c = dial(t, w)
		c.Write([]byte("SSH-2.0-x\r\n"))
		io.ReadAll(c)
		c.Close()
		c = dial(t, w)
		c.Write([]byte{22, 3, 1})
		c.Close()
		eventually(t, "three failures", func() bool { return w.Stats().TLSFailures == 3 })
		for _, reason := range []string{"client sent plain HTTP to a TLS port", "client does not speak TLS", "client left in the middle"} {
			if n := len(s.log.lines("level=WARN", "TLS handshake failed", "under-test", c.LocalAddr().String()[:10], reason)); n != 1 {
				t.Errorf("%d lines with %q\n%s", n, reason, s.log)
			}
		}
		dial(t, w).Close() // a look at the port is no failure
		eventually(t, "all are gone", func() bool { st := w.Stats(); return st.Connections == 0 && st.Accepted == 4 })
		if n := w.Stats().TLSFailures; n != 3 {
			t.Errorf("%d failures", n)
		}
		if n := calls.Load(); n != 0 {
			t.Errorf("%d callbacks", n)
		}
	})
}

func TestTLSFailuresDoNotFillTheLog(t *testing.T) {
	const attempts = 3 * tlsfiles.LinesPerSecond
	now := time.Now()
	var clock atomic.Pointer[time.Time]
	clock.Store(&now)
	s, w, _ := serveTLS(t, kind{network: "tcp"}, "text+ssl", func(w *Worker) {
		w.master.clock = func() time.Time { return *clock.Load() }
	})
	fail := func() {
		c := dial(t, w)
		c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		io.ReadAll(c)
		c.Close()
	}
	for range attempts {
		fail()
	}
	later := now.Add(time.Second)
	clock.Store(&later)
	fail()
	eventually(t, "all are counted", func() bool { return w.Stats().TLSFailures == attempts+1 })
	if n := len(s.log.lines("TLS handshake failed")); n != tlsfiles.LinesPerSecond+1 {
		t.Errorf("%d lines", n)
	}
	if n := len(s.log.lines("TLS handshake failed", fmt.Sprintf("not_logged=%d", attempts-tlsfiles.LinesPerSecond))); n != 1 {
		t.Errorf("the lines left out are not told\n%s", s.log)
	}
}

// Clients that begin and never end their handshake are gone at the deadline; those that
// have done it are not bound by it.
func TestTLSHandshakeTimeout(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w, a := serveTLS(t, k, "text+ssl", func(w *Worker) {
			w.HandshakeTimeout = 300 * time.Millisecond
			echo(w)
		})
		var slow []net.Conn
		for i := range 20 {
			c := dial(t, w)
			if i > 0 {
				c.Write([]byte{22, 3, 1, 2, 0, 1}[:1+i%6])
			}
			slow = append(slow, c)
		}
		quick := dialTLS(t, w, a.client("a.test"))
		quick.Write([]byte("x\n"))
		for _, c := range slow {
			if b, err := io.ReadAll(c); err != nil || len(b) != 0 {
				t.Errorf("%q, %v", b, err)
			}
			c.Close()
		}
		eventually(t, "they are gone", func() bool { return w.Stats().Connections == 1 })
		if n := w.Stats().TLSFailures; n != 20 {
			t.Errorf("%d failures", n)
		}
		if len(s.log.lines("TLS handshake failed", "handshake timeout")) != tlsfiles.LinesPerSecond {
			t.Errorf("log:\n%s", s.log)
		}
		quick.Write([]byte("y\n"))
		if _, err := io.ReadFull(quick, make([]byte, 4)); err != nil {
			t.Error(err)
		}
	})
}

func TestTLSHandshakeTimeoutByDefault(t *testing.T) {
	_, w, _ := serveTLS(t, kind{network: "tcp"}, "text+ssl", nil)
	s := w.runningServer()
	c := &Conn{settings: &s.connSettings}
	c.enter(stageTLS)
	limit := int64(10_000 + openedUnit)
	if next, err := c.deadline(1); next != limit || err != nil {
		t.Errorf("the deadline is %d, %v", next, err)
	}
	if _, err := c.deadline(limit); !errors.Is(err, ErrHandshake) {
		t.Errorf("at the deadline: %v", err)
	}
	c.enter(stageReady)
	if next, err := c.deadline(limit); next != 0 || err != nil {
		t.Errorf("behind the handshake the deadline is %d, %v", next, err)
	}
}

func TestTLSBanner(t *testing.T) {
	s, _, _ := serveTLS(t, kind{network: "tcp"}, "text+ssl", nil)
	if len(s.log.lines("worker started", "transport=ssl", "listen=text+ssl://127.0.0.1:")) != 1 {
		t.Errorf("log:\n%s", s.log)
	}
}
