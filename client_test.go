package workerman

import (
	"crypto/tls"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestBackoffPauses(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		b        Backoff
		failures int
		random   float64
		want     time.Duration
	}{
		{Backoff{Min: s, Jitter: -1}, 0, 0.7, s},
		{Backoff{Min: s, Jitter: -1}, 1, 0, 2 * s},
		{Backoff{Min: s, Jitter: -1}, 4, 0, 16 * s},
		{Backoff{Min: s, Jitter: -1}, 5, 0, 30 * s},
		{Backoff{Min: s, Jitter: -1}, 1 << 40, 0, 30 * s},
		{Backoff{Min: 60 * s, Jitter: -1}, 3, 0, 60 * s},
		{Backoff{Max: s, Jitter: -1}, 0, 0, s / 2},
		{Backoff{Min: 3 * s, Max: s, Jitter: -1}, 0, 0, s},
		{Backoff{Min: s}, 1, 0.5, 3 * s / 2},
		{Backoff{Min: s, Jitter: 1}, 0, 0.25, 3 * s / 4},
		{Backoff{Min: s, Jitter: 9}, 0, 1, 0},
	} {
		if got := c.b.pause(c.failures, c.random); got != c.want {
			t.Errorf("%+v after %d failures: %v, want %v", c.b, c.failures, got, c.want)
		}
	}
	if (&Backoff{Jitter: 1}).used() || !(&Backoff{Max: 1}).used() {
		t.Error("used")
	}
}

func TestClientMistakes(t *testing.T) {
	m := new(Master)
	for _, c := range []struct {
		address string
		set     func(*Client)
		want    string
	}{
		{"127.0.0.1:80", nil, "no scheme"},
		{"http://127.0.0.1:80", nil, "speaks no HTTP"},
		{"udp://127.0.0.1:0", nil, "no port"},
		{"ws+udp://127.0.0.1:80", nil, "not udp"},
		{"text+udp://127.0.0.1:80", func(cl *Client) { cl.TLS = new(tls.Config) }, "TLS needs a stream"},
		{"udp://127.0.0.1:80", func(cl *Client) { cl.Proxy = "socks5://h:1" }, "over tcp only"},
		{"nonsense://127.0.0.1:80", nil, "unknown scheme"},
		{"tcp://127.0.0.1:0", nil, "no port"},
		{"tcp://127.0.0.1", nil, "HOST:PORT"},
		{"ws://", nil, "HOST:PORT"},
		{"ws://user@host/", nil, "no host name has"},
		{"ws://a.test/with space", nil, "target"},
		{"ssl+unix:///run/x", nil, ""},
		{"text+ssl://127.0.0.1:1", func(cl *Client) { cl.ConnectTimeout = -1 }, "negative"},
		{"tcp://a.test:1", func(cl *Client) { cl.Backoff.Min = -1 }, "negative"},
		{"tcp://a.test:1", func(cl *Client) { cl.MaxPackageSize = -1 }, "negative"},
		{"tcp://a.test:1", func(cl *Client) { cl.Proxy = "ftp://h:1" }, "scheme"},
		{"tcp://a.test:1", func(cl *Client) { cl.Proxy = "h:1" }, "no SCHEME"},
		{"tcp://a.test:1", func(cl *Client) { cl.Proxy = "socks5://:secret@h:1" }, "1 to 255 bytes"},
		{"unix:///run/x", func(cl *Client) { cl.Proxy = "socks5://h:1" }, "over tcp only"},
		{"unix:///run/x", func(cl *Client) { cl.LocalAddr = netip.MustParseAddrPort("127.0.0.1:0") }, "LocalAddr"},
	} {
		cl := m.NewClient(c.address)
		if c.set != nil {
			c.set(cl)
		}
		err := cl.Connect()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.address) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want an error with %q", c.address, err, c.want)
		}
	}
}

func TestClientTargets(t *testing.T) {
	for _, c := range []struct{ in, addr, target string }{
		{"ws://a.test", "a.test:80", "/"},
		{"wss://a.test", "a.test:443", "/"},
		{"wss://[::1]/x", "[::1]:443", "/x"},
		{"ws://a.test:8080/chat?room=1#top", "a.test:8080", "/chat?room=1"},
		{"ws://a.test?x=/", "a.test:80", "/?x=/"},
		{"WS://a.test:1#x", "a.test:1", "/"},
		{"ws+ssl://a.test", "a.test:443", "/"},
		{"ws+unix:///run/x.sock", "/run/x.sock", ""},
		{"text://a.test:1", "a.test:1", ""},
	} {
		e, target, err := parseTarget(c.in)
		if err != nil || e.addr.String() != c.addr || target != c.target {
			t.Errorf("%s: %v %q, %v", c.in, e.addr, target, err)
		}
	}
}

// A client that NewClient has not made has nothing to connect to, which Connect says.
func TestClientWithoutAnAddress(t *testing.T) {
	for name, cl := range map[string]*Client{
		"new(Client)":   new(Client),
		"no options":    {address: "tcp://127.0.0.1:1"},
		"options alone": {ClientOptions: new(ClientOptions)},
		`NewClient("")`: NewClient(""),
	} {
		if cl.Conn() != nil || cl.Address() != cl.address {
			t.Errorf("%s: got Conn %v and Address %q, want none", name, cl.Conn(), cl.Address())
		}
		if err := cl.Send([]byte("x")); err != nil {
			t.Errorf("Send of %s: got %v, want it to wait", name, err)
		}
		if cl.address == "" {
			for _, connect := range []func() error{cl.Connect, func() error { return cl.Reconnect(time.Hour) }} {
				if err := connect(); err == nil || !strings.Contains(err.Error(), "client without an address: make it with NewClient") {
					t.Errorf("%s: got %v, want that it has no address", name, err)
				}
			}
		}
		if cl.Context().Err() == nil {
			t.Errorf("%s: the context has not ended, want that nothing runs", name)
		}
		cl.Close()
		if err := cl.Send(nil); err != ErrClosed {
			t.Errorf("Send of %s behind Close: got %v, want %v", name, err, ErrClosed)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for _, test := range []struct{ address, transport, want string }{
		{"tcp://127.0.0.1:80", "", "tcp 127.0.0.1:80"},
		{"TEXT://0.0.0.0:80", "", "tcp 0.0.0.0:80"},
		{"text://0.0.0.0:80", "udp", "udp 0.0.0.0:80"},
		{"text+udp://[::1]:0", "", "udp [::1]:0"},
		{"frame+unix:///run/x.sock", "", "unix /run/x.sock"},
		{"frame+unix:///run/x.sock", "unix", "unix /run/x.sock"},
		{"text:///run/x.sock", "unix", "unix /run/x.sock"},
		{"unix:///run/x.sock", "", "unix /run/x.sock"},
		{"unix:///run/x.sock", "tcp", "unix /run/x.sock"},
		{"udp://localhost:65535", "", "udp localhost:65535"},

		{"127.0.0.1:80", "", "error has no scheme"},
		{"://127.0.0.1:80", "", "error invalid scheme"},
		{"1x://127.0.0.1:80", "", "error invalid scheme"},
		{"smtp://127.0.0.1:80", "", "error known are frame, "},
		{"tcp://127.0.0.1", "", "error no HOST:PORT"},
		{"tcp://:80", "", "error missing host"},
		{"tcp://::1:80", "", "error brackets"},
		{"tcp://127.0.0.1:65536", "", "error no number from 0 to 65535"},
		{"tcp://127.0.0.1:+80", "", "error no number from 0 to 65535"},
		{"tcp://127.0.0.1:http", "", "error no number from 0 to 65535"},
		{"tcp://a b:80", "", "error no host name has"},
		{"unix://", "", "error missing path"},
		{"unix://" + strings.Repeat("x", 200), "", "error at most 103"},
		{"udp://127.0.0.1:80", "unix", "error contradict"},
		{"text+udp://127.0.0.1:80", "tcp", "error says transport"},
		{"tcp+udp://127.0.0.1:80", "", "error combines two transports"},
		{"text+smoke://127.0.0.1:80", "", "error unknown transport"},
	} {
		e, err := parseAddress(test.address, test.transport)
		got := e.addr.Network + " " + e.addr.String()
		if err != nil {
			got = "error " + err.Error()
		}
		if want, isError := strings.CutPrefix(test.want, "error "); isError {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %q: %s, want an error with %q", test.address, test.transport, got, want)
			}
		} else if got != test.want {
			t.Errorf("%s, %q: %s, want %s", test.address, test.transport, got, test.want)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"tcp://127.0.0.1:80", "text+unix:///x", "udp://[::1]:0", "a+b://c", "://", "\x00"} {
		f.Add(seed, "")
		f.Add(seed, "udp")
	}
	f.Fuzz(func(t *testing.T, address, transport string) {
		e, err := parseAddress(address, transport)
		switch {
		case err != nil:
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %v", err)
			}
		case !isTransport(e.addr.Network):
			t.Errorf("%q gives the transport %q", address, e.addr.Network)
		default:
			again, err := parseAddress(e.scheme+"://"+e.addr.String(), e.addr.Network)
			if err != nil || again.addr != e.addr {
				t.Errorf("%q reads back as %+v, %v", address, again.addr, err)
			}
		}
	})
}

func TestRegisterProtocolRefusesNonsense(t *testing.T) {
	for _, scheme := range []string{"", "tcp", "UDP", "unix", "1a", "a-b", "a b", "ä"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was registered", scheme)
				}
			}()
			RegisterProtocol(scheme, textProtocol{})
		}()
	}
}
