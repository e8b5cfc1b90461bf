package secure

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/internal/tlsfiles"
)

func TestTLSWithEveryProtocol(t *testing.T) {
	workertest.Kinds(t, func(t *testing.T, k kind) {
		for _, scheme := range []string{"ssl", "tcp", "text", "text+ssl", "frame"} {
			if k.Network == "unix" {
				if strings.Contains(scheme, "ssl") {
					continue
				}
			}
			t.Run(scheme, func(t *testing.T) {
				states := make(chan *tls.ConnectionState, 2)
				name, _, _ := strings.Cut(scheme, "+")
				var protocol workerman.Protocol
				if name == "text" || name == "frame" {
					protocol = workertest.Builtin(t, name)
				}
				_, w, a := serveTLS(t, k, scheme, func(w *workerman.Worker) {
					echo(w)
					w.OnConnect = func(c *workerman.Conn) { states <- c.TLSState() }
				})
				c := dialTLS(t, w, a.ClientConfig("a.test"))
				for _, size := range []int{1, 64, 5000, 200_000} {
					m := bytes.Repeat([]byte("x"), size)
					if protocol != nil {
						m, _ = protocol.Encode(nil, nil, m)
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
					if got := conn.Transport(); got != k.Network {
						t.Errorf("Transport is %q", got)
					}
				}
			})
		}
	})
}

func TestTLSStateInClear(t *testing.T) {
	_, w := serve(t, kind{Network: "tcp"}, "text", echo)
	c := dial(t, w)
	c.Write([]byte("x\n"))
	io.ReadFull(c, make([]byte, 2))
	for conn := range w.Connections() {
		if conn.TLSState() != nil {
			t.Error("a connection in clear has a state")
		}
	}
}

func TestTLSStartFailures(t *testing.T) {
	a := testkit.NewAuthority("authority")
	one, other := files(t, a, "a.test"), files(t, a, "b.test")
	dir := t.TempDir()
	write := func(name string, parts ...[]byte) string {
		path := filepath.Join(dir, name)
		writeFile(t, path, bytes.Join(parts, nil))
		return path
	}
	oldCert, oldKey := a.Issue("a.test", time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))
	expired := write("expired", oldCert, oldKey)
	earlyCert, earlyKey := a.Issue("a.test", time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))
	early := write("early", earlyCert, earlyKey)
	rubbish := write("rubbish", []byte("no PEM"))
	for _, test := range []struct {
		address string
		tls     workerman.ServerTLS
		words   string
	}{
		{"ssl://127.0.0.1:0", workerman.ServerTLS{}, "set TLS.CertFile and TLS.KeyFile; for a trial make them by: openssl req"},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{Config: &tls.Config{}}, "TLS without a certificate"},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: "/no/such/file"}, "open /no/such/file"},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{KeyFile: one.KeyFile}, "no CertFile beside it"},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: one.CertFile, KeyFile: "/no/such/key"}, "private key: open /no/such/key"},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: one.CertFile, KeyFile: other.KeyFile}, other.KeyFile + ": tls: private key does not match"},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: one.CertFile}, one.CertFile + " with key " + one.CertFile},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: rubbish}, rubbish},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: expired}, expired + " has expired on"},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: early}, early + " is not valid before"},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile, Certificates: []workerman.CertificateFiles{{CertFile: expired}}}, expired},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile, ClientCAFile: rubbish}, "client authorities: no certificate in PEM in " + rubbish},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile, ClientCAFile: "/no/such/ca"}, "/no/such/ca"},
		{"tcp://127.0.0.1:0", workerman.ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile, TicketSecret: []byte("short")}, "TicketSecret has 5 bytes"},
		{"udp://127.0.0.1:0", workerman.ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile}, "TLS needs an address with a stream"},
		{"", workerman.ServerTLS{CertFile: one.CertFile, KeyFile: one.KeyFile}, "TLS needs an address with a stream"},
	} {
		m := &workerman.Master{Logger: workertest.DiscardLogger()}
		w := m.NewWorker(test.address)
		w.TLS = test.tls
		err := m.Run(context.Background())
		if start := new(workerman.StartError); !errors.As(err, &start) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s with %+v: %v, want %q", test.address, test.tls, err, test.words)
		}
	}
}

// One file may hold certificate and key, and Config alone may bring the certificate.
func TestTLSOtherSourcesOfCertificates(t *testing.T) {
	a := testkit.NewAuthority("authority")
	cert, key := a.Issue("a.test", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	one := filepath.Join(t.TempDir(), "both.pem")
	writeFile(t, one, append(cert, key...))
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, settings := range []workerman.ServerTLS{
		{CertFile: one},
		{Certificates: []workerman.CertificateFiles{{CertFile: one}}},
		{Config: &tls.Config{Certificates: []tls.Certificate{pair}}},
		{Config: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &pair, nil }}},
		{Config: &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
		}}},
	} {
		_, w := serve(t, kind{Network: "tcp"}, "text+ssl", func(w *workerman.Worker) {
			w.TLS = settings
			echo(w)
		})
		if err := shakeHands(t, w, a.ClientConfig("a.test")); err != nil {
			t.Errorf("%+v: %v", settings, err)
		}
	}
}

func TestTLSChoosesCertificateByName(t *testing.T) {
	a := testkit.NewAuthority("authority")
	first, second := files(t, a, "a.test"), files(t, a, "b.test")
	_, w := serve(t, kind{Network: "tcp"}, "text+ssl", func(w *workerman.Worker) {
		w.TLS = workerman.ServerTLS{CertFile: first.CertFile, KeyFile: first.KeyFile, Certificates: []workerman.CertificateFiles{second}}
		echo(w)
	})
	for _, test := range []struct{ name, want string }{{"a.test", "a.test"}, {"b.test", "b.test"}, {"c.test", "a.test"}, {"", "a.test"}} {
		config := a.ClientConfig(test.name)
		config.InsecureSkipVerify = true
		c := dialTLS(t, w, config)
		if got := c.ConnectionState().PeerCertificates[0].Subject.CommonName; got != test.want {
			t.Errorf("%q gets the certificate of %s", test.name, got)
		}
	}
}

func TestTLSClientCertificates(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		clients, strangers := testkit.NewAuthority("clients"), testkit.NewAuthority("strangers")
		caFile := filepath.Join(t.TempDir(), "ca.pem")
		writeFile(t, caFile, clients.PEM())
		s, w, a := serveTLS(t, k, "text+ssl", func(w *workerman.Worker) {
			w.TLS.ClientCAFile = caFile
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				c.Send([]byte(c.TLSState().PeerCertificates[0].Subject.CommonName))
			}
		})
		config := func(issuer *testkit.Authority) *tls.Config {
			f := files(t, issuer, "me")
			pair, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
			if err != nil {
				t.Fatal(err)
			}
			config := a.ClientConfig("a.test")
			config.Certificates = []tls.Certificate{pair}
			return config
		}
		c := dialTLS(t, w, config(clients))
		c.Write([]byte("who am I\n"))
		answer := make([]byte, 3)
		if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "me\n" {
			t.Errorf("%q, %v", answer, err)
		}
		if err := shakeHands(t, w, a.ClientConfig("a.test")); err == nil || !strings.Contains(err.Error(), "certificate required") {
			t.Errorf("without a certificate: %v", err)
		}
		if err := shakeHands(t, w, config(strangers)); err == nil {
			t.Error("a stranger is let in")
		}
		eventually(t, "failures are counted", func() bool { return w.Stats().TLSFailures == 2 })
		if n := len(s.Log.Lines("TLS handshake failed", "under-test", "127.0.0.1:")); n != 2 {
			t.Errorf("%d lines\n%s", n, s.Log)
		}
	})
}

func TestTLSVersionsAndALPN(t *testing.T) {
	a := testkit.NewAuthority("authority")
	f := files(t, a, "a.test")
	settings := workerman.ServerTLS{CertFile: f.CertFile, KeyFile: f.KeyFile}
	settings.Config = &tls.Config{NextProtos: []string{"http/1.1"}}
	_, w := serve(t, kind{Network: "tcp"}, "text+ssl", func(w *workerman.Worker) {
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
		config := a.ClientConfig("a.test")
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
		s, w, _ := serveTLS(t, k, "text+ssl", func(w *workerman.Worker) {
			w.OnConnect = func(*workerman.Conn) { calls.Add(1) }
			w.OnClose = func(*workerman.Conn) { calls.Add(1) }
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
			if n := len(s.Log.Lines("level=WARN", "TLS handshake failed", "under-test", c.LocalAddr().String()[:10], reason)); n != 1 {
				t.Errorf("%d lines with %q\n%s", n, reason, s.Log)
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

// Clients that begin and never end their handshake are gone at the deadline; those that
// have done it are not bound by it.
func TestTLSHandshakeTimeout(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w, a := serveTLS(t, k, "text+ssl", func(w *workerman.Worker) {
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
		quick := dialTLS(t, w, a.ClientConfig("a.test"))
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
		if len(s.Log.Lines("TLS handshake failed", "handshake timeout")) != tlsfiles.LinesPerSecond {
			t.Errorf("log:\n%s", s.Log)
		}
		quick.Write([]byte("y\n"))
		if _, err := io.ReadFull(quick, make([]byte, 4)); err != nil {
			t.Error(err)
		}
	})
}

func TestTLSBanner(t *testing.T) {
	s, _, _ := serveTLS(t, kind{Network: "tcp"}, "text+ssl", nil)
	if len(s.Log.Lines("worker started", "transport=ssl", "listen=text+ssl://127.0.0.1:")) != 1 {
		t.Errorf("log:\n%s", s.Log)
	}
}
