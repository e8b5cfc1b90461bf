package tlsfiles

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestCertificateFilesTellTheirState(t *testing.T) {
	pair := validPair(t, "a.test")
	f, err := listFiles([]Pair{pair}, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, false} {
		if changed, err := f.read(time.Now()); changed != want || err != nil {
			t.Errorf("read %d: got %v, %v, want %v", i, changed, err, want)
		}
	}
	os.Remove(pair.KeyFile)
	if _, err := f.read(time.Now()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a key file: got %v, want %v", err, os.ErrNotExist)
	}
	if changed, err := f.read(time.Now()); changed || err != nil {
		t.Errorf("the same again: got %v, %v, want no change and no error", changed, err)
	}
	if n := len(f.certificates); n != 1 {
		t.Errorf("%d certificates are in use, want the old one", n)
	}
}
