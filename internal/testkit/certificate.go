package testkit

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

// Authority issues certificates for tests.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority, whose own certificate is valid for weeks. Like all that makes
// certificates here, it panics if the system has no random numbers.
func NewAuthority(name string) *Authority {
	key := newKey()
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return &Authority{cert, key}
}

// Pool trusts this authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// PEM is the authority's own certificate.
func (a *Authority) PEM() []byte { return encode("CERTIFICATE", a.cert.Raw) }

// Issue makes a certificate for a host, which may be a server's and a client's, and its key, both
// in PEM.
func (a *Authority) Issue(host string, from, until time.Time) (cert, key []byte) {
	private := newKey()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	if err != nil {
		panic(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8)
}

// Valid is Issue of a certificate that is valid for days from now on.
func (a *Authority) Valid(host string) (cert, key []byte) {
	now := time.Now()
	return a.Issue(host, now.Add(-time.Hour), now.Add(100*time.Hour))
}

// Certificate is Valid in the form that crypto/tls takes.
func (a *Authority) Certificate(host string) tls.Certificate {
	c, err := tls.X509KeyPair(a.Valid(host))
	if err != nil {
		panic(err)
	}
	return c
}

// Files is Valid in two files, which the end of the test removes.
func (a *Authority) Files(t testing.TB, host string) (certFile, keyFile string) {
	t.Helper()
	cert, key := a.Valid(host)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, host+".crt"), filepath.Join(dir, host+".key")
	ReplaceFile(t, certFile, cert)
	ReplaceFile(t, keyFile, key)
	return certFile, keyFile
}

// ClientConfig trusts the authority and asks for a host.
func (a *Authority) ClientConfig(host string) *tls.Config {
	return &tls.Config{RootCAs: a.Pool(), ServerName: host}
}

// ReplaceFile writes a file as the tools for certificates do: beside it, and then by a rename.
func ReplaceFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
