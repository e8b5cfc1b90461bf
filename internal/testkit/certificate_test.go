package testkit

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"
)

// handshake lets a client that trusts an authority connect to a server with a certificate.
func handshake(t *testing.T, server tls.Certificate, client *tls.Config) error {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{server}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			c.(*tls.Conn).Handshake()
			c.Close()
		}
	}()
	c, err := net.DialTimeout("tcp", l.Addr().String(), Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(Patience))
	return tls.Client(c, client).Handshake()
}

func TestAuthority(t *testing.T) {
	good, other := NewAuthority("good"), NewAuthority("other")
	cert := good.Certificate("a.test")
	for name, test := range map[string]struct {
		client *tls.Config
		want   string
	}{
		"trusted":        {good.ClientConfig("a.test"), ""},
		"another name":   {good.ClientConfig("b.test"), "valid for a.test"},
		"not trusted":    {other.ClientConfig("a.test"), "unknown authority"},
		"from two files": {good.ClientConfig("a.test"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "from two files" {
				var err error
				if cert, err = tls.LoadX509KeyPair(good.Files(t, "a.test")); err != nil {
					t.Fatalf("files: %v", err)
				}
			}
			err := handshake(t, cert, test.client)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("handshake: %v, want %q", err, test.want)
			}
		})
	}
}

func TestExpiredCertificate(t *testing.T) {
	a := NewAuthority("authority")
	cert, err := tls.X509KeyPair(a.Issue("a.test", time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	if err := handshake(t, cert, a.ClientConfig("a.test")); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("handshake: %v, want one about the time", err)
	}
}

func TestAddresses(t *testing.T) {
	for network, address := range map[string]string{"tcp": FreeAddress(t), "unix": SocketPath(t)} {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Errorf("nobody can listen at %s: %v", address, err)
			continue
		}
		l.Close()
	}
}
