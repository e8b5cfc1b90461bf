// Package selfsigned makes the certificates of the examples that use TLS, so that they can
// be tried without one from an authority. Clients have to be told to trust them.
package selfsigned

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Keep sees to it that the file at path holds a certificate for this machine, good for at
// least a third of valid, and its private key: it makes them if need be. To be called again
// before that time is over.
func Keep(path string, valid time.Duration) error {
	if left(path) > valid/3 {
		return nil
	}
	text, err := makePair(valid)
	if err != nil {
		return fmt.Errorf("self-signed certificate: %w", err)
	}
	return replace(path, text)
}

// left is how long the certificate in a file is good for, 0 if there is none.
func left(path string) time.Duration {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return 0
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return 0
	}
	return time.Until(certificate.NotAfter)
}

// makePair is a certificate and behind it its key, in PEM.
func makePair(valid time.Duration) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:   time.Now().Add(-time.Minute), // the clock of a client may be a little behind
		NotAfter:    time.Now().Add(valid),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), nil
}

// replace writes a file at once, so that nobody ever reads half of it, and nobody but its
// owner reads the key.
func replace(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".self-signed-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // has no effect after the rename
	_, err = file.Write(text)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
