package workerman

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority issues certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

// pool trusts this authority alone.
func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// issue makes a certificate and its key, in PEM.
func (a *authority) issue(t *testing.T, name string, from, until time.Time) (certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// files issues a certificate that is valid now into two files.
func (a *authority) files(t *testing.T, name string) CertificateFiles {
	t.Helper()
	cert, key := a.issue(t, name, time.Now().Add(-time.Hour), time.Now().Add(100*time.Hour))
	dir := t.TempDir()
	f := CertificateFiles{CertFile: filepath.Join(dir, name+".crt"), KeyFile: filepath.Join(dir, name+".key")}
	writeFile(t, f.CertFile, cert)
	writeFile(t, f.KeyFile, key)
	return f
}

// writeFile replaces a file as certificate tools do: by renaming.
func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// client trusts the authority and asks for a name.
func (a *authority) client(name string) *tls.Config {
	return &tls.Config{RootCAs: a.pool(), ServerName: name}
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
