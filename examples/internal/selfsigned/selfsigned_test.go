package selfsigned

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pair.pem")
	keep := func(valid time.Duration) string {
		t.Helper()
		if err := Keep(path, valid); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	first := keep(time.Hour)
	pair, err := tls.LoadX509KeyPair(path, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: want mode 0600", info.Mode(), err)
	}
	if keep(time.Hour) != first || keep(2*time.Hour) != first {
		t.Error("a good certificate was replaced")
	}
	second := keep(4 * time.Hour) // of which a third is more than is left
	if second == first {
		t.Error("a certificate was kept that ends soon")
	}
	if err := os.WriteFile(path, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if third := keep(time.Hour); third == second {
		t.Error("the certificate is not a new one")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
	if err := Keep(filepath.Join(path, "below a file"), time.Hour); err == nil {
		t.Error("no error for a path that cannot be")
	}
}
