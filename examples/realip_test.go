package examples

import (
	"io"
	"strings"
	"syscall"
	"testing"
)

func TestRealIP(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "realip", "-listen", "http://"+anyPort, "-trust", "127.0.0.0/8", "-trust", "10.1.2.3")
		url := "http://" + p.address()
		for field, client := range map[string]string{
			"X-Unknown: 203.0.113.9":                               "127.0.0.1",
			"X-Forwarded-For: 203.0.113.9":                         "203.0.113.9",
			"X-Forwarded-For: 198.51.100.7, 203.0.113.9, 10.1.2.3": "203.0.113.9", // the first one is invented
			"X-Forwarded-For: 2001:db8::7":                         "2001:db8::7",
			"Forwarded: for=203.0.113.9":                           "127.0.0.1",
		} {
			got := get(t, url, field)
			if !strings.HasPrefix(got, "client "+client+"\npeer   127.0.0.1:") {
				t.Errorf("%s: %q", field, got)
			}
		}
		if got := get(t, url+"/a?b=c", "X-Forwarded-Proto: https", "X-Forwarded-Host: example.com"); !strings.HasSuffix(got, "url    https://example.com/a?b=c\n") {
			t.Errorf("behind TLS: %q", got)
		}
		p.endsWell(syscall.SIGTERM)

		p = start(t, engine, "realip", "-listen", "http://"+anyPort)
		if got := get(t, "http://"+p.address(), "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https"); !strings.HasPrefix(got, "client 127.0.0.1\n") || !strings.Contains(got, "url    http://") {
			t.Errorf("a stranger is believed: %q", got)
		}
	})
}

func TestRealIPForwarded(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "realip", "-listen", "http://"+anyPort, "-trust", "127.0.0.1", "-header", "Forwarded")
		got := get(t, "http://"+p.address(), "Forwarded: for=\"[2001:db8::7]:4711\";proto=https;host=example.com")
		if !strings.HasPrefix(got, "client 2001:db8::7\n") || !strings.HasSuffix(got, "url    https://example.com/\n") {
			t.Errorf("%q", got)
		}
	})
}

func TestRealIPProxyProtocol(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "realip", "-listen", "http://"+anyPort, "-proxy-protocol")
		const request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
		for name, header := range map[string]string{
			"version 1": "PROXY TCP4 203.0.113.9 192.0.2.1 40000 80\r\n",
			"version 2": "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x9c\x40\x00\x50",
		} {
			c := dial(t, "tcp", p.address())
			c.send(header + request)
			answer, err := io.ReadAll(c)
			if err != nil || !strings.Contains(string(answer), "\r\n\r\nclient 203.0.113.9\npeer   203.0.113.9:40000\n") {
				t.Errorf("%s: %q, %v", name, answer, err)
			}
		}
		if got := curl(t, "--haproxy-protocol", "http://"+p.address()); !strings.HasPrefix(got, "client 127.0.0.1\n") {
			t.Errorf("curl: %q", got)
		}
		stranger := dial(t, "tcp", p.address())
		stranger.send(request)
		if answer, _ := io.ReadAll(stranger); len(answer) > 0 { // it may be a reset
			t.Errorf("without the header: %q", answer)
		}
	})
}

func TestRealIPRefusesWrongNetworks(t *testing.T) {
	p := start(t, "portable", "realip", "-trust", "10.0.0.0/33")
	p.says("10.0.0.0/33")
	if status := p.Status(); status != 2 {
		t.Errorf("exit status %d, want 2", status)
	}
}
