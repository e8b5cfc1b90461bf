package tlsfiles

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// newPair writes a certificate for the name and its key into two files.
func newPair(t *testing.T, name string, from, until time.Time) Pair {
	t.Helper()
	cert, key := testkit.NewAuthority("authority").Issue(name, from, until)
	dir := t.TempDir()
	p := Pair{CertFile: filepath.Join(dir, name+".crt"), KeyFile: filepath.Join(dir, name+".key")}
	testkit.ReplaceFile(t, p.CertFile, cert)
	testkit.ReplaceFile(t, p.KeyFile, key)
	return p
}

// validPair is newPair with a certificate that is valid now.
func validPair(t *testing.T, name string) (p Pair) {
	t.Helper()
	p.CertFile, p.KeyFile = testkit.NewAuthority("authority").Files(t, name)
	return p
}
