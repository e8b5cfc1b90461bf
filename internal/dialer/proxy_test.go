package dialer

import (
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/socket"
)

func TestParseProxy(t *testing.T) {
	for _, c := range []struct{ in, addr, begins, fails string }{
		{"http://proxy.test", "proxy.test:80", "CONNECT a.test:443 HTTP/1.1\r\n", ""},
		{"http://user:secret@proxy.test:3128/", "proxy.test:3128", "CONNECT a.test:443 HTTP/1.1\r\n", ""},
		{"socks5://proxy.test", "proxy.test:1080", "\x05", ""},
		{"socks5h://[::1]:9", "[::1]:9", "\x05", ""},
		{"ftp://user:secret@proxy.test", "", "", `the scheme "ftp"`},
		{"proxy.test:1", "", "", "no SCHEME://"},
		{"http://proxy.test/path", "", "", "no SCHEME://"},
		{"http://user:sec ret@proxy.test\x00", "", "", "no SCHEME://"},
		{"socks5://:secret@proxy.test", "", "", "1 to 255 bytes"},
		{"http://proxy.test:99999", "", "", "port"},
	} {
		p, err := ParseProxy(c.in)
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), "sec") {
				t.Errorf("%s: got %v, want an error with %q and without the password", c.in, err, c.fails)
			}
			continue
		}
		if err != nil || p.Address().String() != c.addr {
			t.Errorf("%s: got %v, %v, want the address %s", c.in, p, err, c.addr)
			continue
		}
		n, err := p.Negotiate(socket.Address{Network: "tcp", Host: "a.test", Port: 443})
		if err != nil || !strings.HasPrefix(string(n.Begin()), c.begins) {
			t.Errorf("%s: the dialog begins with %q, %v, want %q", c.in, n.Begin(), err, c.begins)
		}
	}
}
