package workerman

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// authority issues certificates for a test.
type authority struct{ *testkit.Authority }

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	return &authority{testkit.NewAuthority(name)}
}

func (a *authority) pem() []byte                    { return a.PEM() }
func (a *authority) client(name string) *tls.Config { return a.ClientConfig(name) }

func (a *authority) issue(t *testing.T, name string, from, until time.Time) (certPEM, keyPEM []byte) {
	t.Helper()
	return a.Issue(name, from, until)
}

// files issues a certificate that is valid now into two files.
func (a *authority) files(t *testing.T, name string) (f CertificateFiles) {
	t.Helper()
	f.CertFile, f.KeyFile = a.Files(t, name)
	return f
}

// writeFile replaces a file as certificate tools do: by renaming.
func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	testkit.ReplaceFile(t, path, b)
}

// serveTLS starts one worker with a certificate for the name "a.test".
func serveTLS(t *testing.T, k kind, scheme string, configure func(w *Worker)) (*testService, *Worker, *authority) {
	t.Helper()
	a := newAuthority(t, "authority")
	f := a.files(t, "a.test")
	s, w := serve(t, k, scheme, func(w *Worker) {
		w.TLS.CertFile, w.TLS.KeyFile = f.CertFile, f.KeyFile
		if configure != nil {
			configure(w)
		}
	})
	return s, w, a
}

// dialTLS connects and shakes hands.
func dialTLS(t *testing.T, w *Worker, config *tls.Config) *tls.Conn {
	t.Helper()
	c := tls.Client(dial(t, w), config)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	return c
}

// shakeHands connects and returns the error that a client sees, at the latest with the
// answer to its first message.
func shakeHands(t *testing.T, w *Worker, config *tls.Config) error {
	t.Helper()
	raw := dial(t, w)
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
