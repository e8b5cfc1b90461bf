package workertest

import (
	"crypto/tls"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// Files issues a certificate for a host that is valid now, into two files.
func Files(t *testing.T, a *testkit.Authority, host string) (f workerman.CertificateFiles) {
	t.Helper()
	f.CertFile, f.KeyFile = a.Files(t, host)
	return f
}

// ServeTLS is Serve with a certificate for the name "a.test", of the authority that it returns.
func ServeTLS(t *testing.T, k Kind, scheme string, configure func(w *workerman.Worker)) (*Service, *workerman.Worker, *testkit.Authority) {
	t.Helper()
	a := testkit.NewAuthority("authority")
	f := Files(t, a, "a.test")
	s, w := Serve(t, k, scheme, func(w *workerman.Worker) {
		w.TLS.CertFile, w.TLS.KeyFile = f.CertFile, f.KeyFile
		if configure != nil {
			configure(w)
		}
	})
	return s, w, a
}

// DialTLS is Dial and a handshake, which must not fail.
func DialTLS(t *testing.T, w *workerman.Worker, config *tls.Config) *tls.Conn {
	t.Helper()
	c := tls.Client(Dial(t, w), config)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	return c
}

// ShakeHands connects and returns the error that a client sees, at the latest with the answer to
// its first message.
func ShakeHands(t *testing.T, w *workerman.Worker, config *tls.Config) error {
	t.Helper()
	raw := Dial(t, w)
	defer raw.Close()
	c := tls.Client(raw, config)
	err := c.Handshake()
	if err == nil {
		_, err = c.Write([]byte("x\n"))
	}
	if err == nil {
		_, err = c.Read(make([]byte, 10))
	}
	return err
}
