package interop

import (
	"path/filepath"
	"strings"
	"testing"
)

// certificate is a pair of files that OpenSSL has made, good for example.com, app.internal and
// loopback; it is its own authority.
type certificate struct{ cert, key string }

func newCertificate(t *testing.T) certificate {
	t.Helper()
	dir := t.TempDir()
	c := certificate{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	run(t, "", "openssl", strings.Fields("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test "+
		"-addext subjectAltName=DNS:localhost,DNS:example.com,DNS:app.internal,IP:127.0.0.1 -keyout "+c.key+" -out "+c.cert)...)
	return c
}
