package workerman

import (
	"bytes"
	"crypto/tls"
	"io"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/tlsfiles"
)

// resumes exchanges a message and reports whether the session was continued.
func resumes(t *testing.T, w *Worker, config *tls.Config) bool {
	t.Helper()
	c := dialTLS(t, w, config)
	defer c.Close()
	c.Write([]byte("x\n"))
	if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	return c.ConnectionState().DidResume
}

func TestSessionsContinue(t *testing.T) {
	secret := bytes.Repeat([]byte("secret"), 6)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		a := newAuthority(t, "authority")
		f := a.files(t, "a.test")
		clock := newTestClock()
		// Each has a Master of its own, as on machines of their own.
		start := func(name string, secret []byte) *Worker {
			_, w := serve(t, kind{network: "tcp"}, "text+ssl", func(w *Worker) {
				w.Name, w.master.clock = name, clock.now
				w.TLS = ServerTLS{CertFile: f.CertFile, KeyFile: f.KeyFile, TicketSecret: secret}
				echo(w)
			})
			return w
		}
		one, two := start("same", secret), start("same", secret)
		named, secretive, alone := start("other", secret), start("same", bytes.Repeat([]byte("x"), 32)), start("same", nil)
		config := func() *tls.Config {
			c := a.client("a.test")
			c.MaxVersion, c.ClientSessionCache = version, tls.NewLRUClientSessionCache(1)
			return c
		}
		for _, test := range []struct {
			what     string
			from, to *Worker
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

func TestSessionTicketsCanBeOff(t *testing.T) {
	_, w, a := serveTLS(t, kind{network: "tcp"}, "text+ssl", func(w *Worker) {
		w.TLS.Config = &tls.Config{SessionTicketsDisabled: true}
		echo(w)
	})
	config := a.client("a.test")
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for range 2 {
		if resumes(t, w, config) {
			t.Error("resumed")
		}
	}
}
