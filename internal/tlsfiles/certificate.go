package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Pair names the files of a certificate, with the intermediate ones behind it, and of its
// private key, in PEM. One file may hold both: KeyFile is CertFile by default.
type Pair struct {
	CertFile string
	KeyFile  string
}

// certificateFiles are the files of a server and what they held when they were last usable.
type certificateFiles struct {
	pairs        []Pair
	clientCAFile string
	paths        []string      // all files
	seen         []os.FileInfo // their state when they were last read

	certificates []tls.Certificate
	clientCAs    *x509.CertPool
	clientCAPEM  []byte
}

// listFiles checks which files the settings name.
func listFiles(pairs []Pair, clientCAFile string) (f certificateFiles, err error) {
	for _, p := range pairs {
		if p.CertFile == "" {
			return f, fmt.Errorf("TLS: key file %q has no CertFile beside it", p.KeyFile)
		}
		if p.KeyFile == "" {
			p.KeyFile = p.CertFile
		}
		f.pairs = append(f.pairs, p)
		f.paths = append(f.paths, p.CertFile, p.KeyFile)
	}
	if clientCAFile != "" {
		f.clientCAFile = clientCAFile
		f.paths = append(f.paths, clientCAFile)
	}
	return f, nil
}

// read reads the files if they have changed since the last call. After an error everything
// is as before, and the same files are no error again.
func (f *certificateFiles) read(now time.Time) (changed bool, err error) {
	seen := make([]os.FileInfo, len(f.paths))
	for i, path := range f.paths {
		seen[i], _ = os.Stat(path) // what is wrong shows when it is read
	}
	if f.seen != nil && slices.EqualFunc(seen, f.seen, sameState) {
		return false, nil
	}
	f.seen = seen
	certificates := make([]tls.Certificate, len(f.pairs))
	for i, p := range f.pairs {
		if certificates[i], err = p.load(now); err != nil {
			return false, err
		}
	}
	if f.clientCAFile != "" {
		pem, err := os.ReadFile(f.clientCAFile)
		if err != nil {
			return false, fmt.Errorf("client authorities: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return false, fmt.Errorf("client authorities: no certificate in PEM in %s", f.clientCAFile)
		}
		f.clientCAs, f.clientCAPEM = pool, pem
	}
	f.certificates = certificates
	return true, nil
}

// sameState compares what is known of a file at two times.
func sameState(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// load reads a certificate that is valid now.
func (p Pair) load(now time.Time) (cert tls.Certificate, err error) {
	certPEM, err := os.ReadFile(p.CertFile)
	if err != nil {
		return cert, fmt.Errorf("certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(p.KeyFile)
	if err != nil {
		return cert, fmt.Errorf("private key: %w", err)
	}
	if cert, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		return cert, fmt.Errorf("certificate %s with key %s: %w", p.CertFile, p.KeyFile, err)
	}
	if cert.Leaf == nil {
		return cert, errors.New("certificate " + p.CertFile + " cannot be read")
	}
	switch leaf := cert.Leaf; {
	case now.After(leaf.NotAfter):
		return cert, fmt.Errorf("certificate %s has expired on %s: renew it", p.CertFile, leaf.NotAfter.Format(time.DateTime))
	case now.Before(leaf.NotBefore):
		return cert, fmt.Errorf("certificate %s is not valid before %s: check the clock", p.CertFile, leaf.NotBefore.Format(time.DateTime))
	}
	return cert, nil
}

// describe names the files with the end of their validity.
func (f *certificateFiles) describe() string {
	var list []string
	for i, p := range f.pairs {
		list = append(list, fmt.Sprintf("%s until %s", p.CertFile, f.certificates[i].Leaf.NotAfter.Format(time.DateOnly)))
	}
	return strings.Join(list, ", ")
}
