package workerman_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/internal/tlsfiles"
)

func TestTLSFailuresDoNotFillTheLog(t *testing.T) {
	const attempts = 3 * tlsfiles.LinesPerSecond
	now := time.Now()
	var clock atomic.Pointer[time.Time]
	clock.Store(&now)
	s, w, _ := serveTLS(t, kind{Network: "tcp"}, "text+ssl", func(w *workerman.Worker) {
		w.Master().SetClock(func() time.Time { return *clock.Load() })
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
	if n := len(s.Log.Lines("TLS handshake failed")); n != tlsfiles.LinesPerSecond+1 {
		t.Errorf("%d lines", n)
	}
	if n := len(s.Log.Lines("TLS handshake failed", fmt.Sprintf("not_logged=%d", attempts-tlsfiles.LinesPerSecond))); n != 1 {
		t.Errorf("the lines left out are not told\n%s", s.Log)
	}
}

func TestTLSHandshakeTimeoutByDefault(t *testing.T) {
	_, w, _ := serveTLS(t, kind{Network: "tcp"}, "text+ssl", nil)
	c := w.InTLSHandshake()
	limit := int64(10_000 + workerman.OpenedUnit)
	if next, err := c.Deadline(1); next != limit || err != nil {
		t.Errorf("the deadline is %d, %v", next, err)
	}
	if _, err := c.Deadline(limit); !errors.Is(err, workerman.ErrHandshake) {
		t.Errorf("at the deadline: %v", err)
	}
	c.EndTLSHandshake()
	if next, err := c.Deadline(limit); next != 0 || err != nil {
		t.Errorf("behind the handshake the deadline is %d, %v", next, err)
	}
}

// testClock is a clock that a test sets.
type testClock struct{ at atomic.Int64 }

func newTestClock() *testClock {
	c := new(testClock)
	c.at.Store(time.Now().UnixNano())
	return c
}

func (c *testClock) now() time.Time { return time.Unix(0, c.at.Load()) }

func (c *testClock) advance(d time.Duration) { c.at.Add(int64(d)) }

// serial is the serial number of the certificate that a client is shown.
func serialSeen(t *testing.T, w *workerman.Worker, config *tls.Config) string {
	t.Helper()
	c := workertest.DialTLS(t, w, config)
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

func TestCertificateIsRenewed(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		clock := newTestClock()
		var f workerman.CertificateFiles
		s, w, a := serveTLS(t, k, "text+ssl", func(w *workerman.Worker) {
			w.Master().SetClock(clock.now)
			f = workerman.CertificateFiles{w.TLS.CertFile, w.TLS.KeyFile}
			echo(w)
		})
		old := serialSeen(t, w, a.ClientConfig("a.test"))
		renew := func(until time.Time) {
			cert, key := a.Issue("a.test", time.Now().Add(-time.Hour), until)
			testkit.ReplaceFile(t, f.CertFile, cert)
			testkit.ReplaceFile(t, f.KeyFile, key)
		}
		see := func(want string) {
			t.Helper()
			for range 2 {
				if got := serialSeen(t, w, a.ClientConfig("a.test")); (got == old) != (want == "old") {
					t.Errorf("serial %s, it was %s; want the %s one", got, old, want)
				}
			}
		}
		renew(time.Now().Add(time.Hour))
		see("old") // nobody looks that often
		clock.advance(tlsfiles.LookInterval)
		see("new")
		if n := len(s.Log.Lines("TLS files renewed", f.CertFile)); n != 1 {
			t.Errorf("%d lines\n%s", n, s.Log)
		}
		old = serialSeen(t, w, a.ClientConfig("a.test"))
		for i, damage := range []func(){
			func() { testkit.ReplaceFile(t, f.KeyFile, []byte("half a fi")) },
			func() { os.Remove(f.CertFile) },
			func() { renew(time.Now().Add(-time.Minute)) },
		} {
			damage()
			for range 3 { // it is told once
				clock.advance(tlsfiles.LookInterval)
				see("old")
			}
			if n := len(s.Log.Lines("level=ERROR", "TLS files not renewed, the old ones stay in use")); n != i+1 {
				t.Errorf("damage %d: %d lines\n%s", i, n, s.Log)
			}
		}
		renew(time.Now().Add(time.Hour))
		clock.advance(tlsfiles.LookInterval)
		see("new")
		if n := w.Stats().TLSFailures; n != 0 {
			t.Errorf("%d failures", n)
		}
	})
}

// A change of the authorities counts too, and ends the sessions that the old ones vouched for.
func TestClientAuthoritiesAreRenewed(t *testing.T) {
	clock := newTestClock()
	first, second := testkit.NewAuthority("first"), testkit.NewAuthority("second")
	caFile := t.TempDir() + "/ca.pem"
	testkit.ReplaceFile(t, caFile, first.PEM())
	_, w, a := serveTLS(t, kind{Network: "tcp"}, "text+ssl", func(w *workerman.Worker) {
		w.Master().SetClock(clock.now)
		w.TLS.ClientCAFile = caFile
		echo(w)
	})
	f := workertest.Files(t, first, "me")
	pair, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	config := a.ClientConfig("a.test")
	config.Certificates, config.ClientSessionCache = []tls.Certificate{pair}, tls.NewLRUClientSessionCache(1)
	if err := workertest.ShakeHands(t, w, config); err != nil {
		t.Fatal(err)
	}
	testkit.ReplaceFile(t, caFile, second.PEM())
	clock.advance(tlsfiles.LookInterval)
	if err := workertest.ShakeHands(t, w, config); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a client of the old authority: %v", err)
	}
}

func TestSessionsContinue(t *testing.T) {
	secret := bytes.Repeat([]byte("secret"), 6)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		a := testkit.NewAuthority("authority")
		f := workertest.Files(t, a, "a.test")
		clock := newTestClock()
		// Each has a Master of its own, as on machines of their own.
		start := func(name string, secret []byte) *workerman.Worker {
			_, w := serve(t, kind{Network: "tcp"}, "text+ssl", func(w *workerman.Worker) {
				w.Name = name
				w.Master().SetClock(clock.now)
				w.TLS = workerman.ServerTLS{CertFile: f.CertFile, KeyFile: f.KeyFile, TicketSecret: secret}
				echo(w)
			})
			return w
		}
		one, two := start("same", secret), start("same", secret)
		named, secretive, alone := start("other", secret), start("same", bytes.Repeat([]byte("x"), 32)), start("same", nil)
		config := func() *tls.Config {
			c := a.ClientConfig("a.test")
			c.MaxVersion, c.ClientSessionCache = version, tls.NewLRUClientSessionCache(1)
			return c
		}
		for _, test := range []struct {
			what     string
			from, to *workerman.Worker
			later    time.Duration
			want     bool
		}{
			{"the same worker", one, one, 0, true},
			{"one with the same secret", one, two, 0, true},
			{"one of another name", one, named, 0, false},
			{"one with another secret", one, secretive, 0, false},
			{"one with a random secret", one, alone, 0, false},
			{"the same worker with a random secret", alone, alone, 0, true},
			{"the next period", one, one, tlsfiles.TicketPeriod, true},
			{"the next period elsewhere", one, two, tlsfiles.TicketPeriod, true},
			{"the period after next", one, one, 2 * tlsfiles.TicketPeriod, false},
			{"a clock that is behind", one, two, -tlsfiles.TicketPeriod, true},
		} {
			c := config()
			if resumes(t, test.from, c) {
				t.Errorf("%s: the first time", test.what)
			}
			clock.advance(test.later)
			if got := resumes(t, test.to, c); got != test.want {
				t.Errorf("%s, %s: resumed %v", tls.VersionName(version), test.what, got)
			}
		}
	}
}

// resumes exchanges a message and reports whether the session was continued.
func resumes(t *testing.T, w *workerman.Worker, config *tls.Config) bool {
	t.Helper()
	c := workertest.DialTLS(t, w, config)
	defer c.Close()
	c.Write([]byte("x\n"))
	if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	return c.ConnectionState().DidResume
}
