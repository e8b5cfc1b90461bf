package workerman

import (
	"crypto/tls"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/tlsfiles"
)

// testClock is a clock that a test sets.
type testClock struct{ at atomic.Int64 }

func newTestClock() *testClock {
	c := new(testClock)
	c.at.Store(time.Now().UnixNano())
	return c
}

func (c *testClock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *testClock) advance(d time.Duration) { c.at.Add(int64(d)) }

// serial is the serial number of the certificate that a client is shown.
func serialSeen(t *testing.T, w *Worker, config *tls.Config) string {
	t.Helper()
	c := dialTLS(t, w, config)
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

func TestCertificateIsRenewed(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		clock := newTestClock()
		var f CertificateFiles
		s, w, a := serveTLS(t, k, "text+ssl", func(w *Worker) {
			w.master.clock = clock.now
			f = CertificateFiles{w.TLS.CertFile, w.TLS.KeyFile}
			echo(w)
		})
		old := serialSeen(t, w, a.client("a.test"))
		renew := func(until time.Time) {
			cert, key := a.issue(t, "a.test", time.Now().Add(-time.Hour), until)
			writeFile(t, f.CertFile, cert)
			writeFile(t, f.KeyFile, key)
		}
		see := func(want string) {
			t.Helper()
			for range 2 {
				if got := serialSeen(t, w, a.client("a.test")); (got == old) != (want == "old") {
					t.Errorf("serial %s, it was %s; want the %s one", got, old, want)
				}
			}
		}
		renew(time.Now().Add(time.Hour))
		see("old") // nobody looks that often
		clock.advance(tlsfiles.LookInterval)
		see("new")
		if n := len(s.log.lines("TLS files renewed", f.CertFile)); n != 1 {
			t.Errorf("%d lines\n%s", n, s.log)
		}
		old = serialSeen(t, w, a.client("a.test"))
		for i, damage := range []func(){
			func() { writeFile(t, f.KeyFile, []byte("half a fi")) },
			func() { os.Remove(f.CertFile) },
			func() { renew(time.Now().Add(-time.Minute)) },
		} {
			damage()
			for range 3 { // it is told once
				clock.advance(tlsfiles.LookInterval)
				see("old")
			}
			if n := len(s.log.lines("level=ERROR", "TLS files not renewed, the old ones stay in use")); n != i+1 {
				t.Errorf("damage %d: %d lines\n%s", i, n, s.log)
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
	first, second := newAuthority(t, "first"), newAuthority(t, "second")
	caFile := t.TempDir() + "/ca.pem"
	writeFile(t, caFile, first.pem())
	_, w, a := serveTLS(t, kind{network: "tcp"}, "text+ssl", func(w *Worker) {
		w.master.clock = clock.now
		w.TLS.ClientCAFile = caFile
		echo(w)
	})
	f := first.files(t, "me")
	pair, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	config := a.client("a.test")
	config.Certificates, config.ClientSessionCache = []tls.Certificate{pair}, tls.NewLRUClientSessionCache(1)
	if err := shakeHands(t, w, config); err != nil {
		t.Fatal(err)
	}
	writeFile(t, caFile, second.pem())
	clock.advance(tlsfiles.LookInterval)
	if err := shakeHands(t, w, config); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a client of the old authority: %v", err)
	}
}
