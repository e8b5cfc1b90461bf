package workerman

import (
	"strings"
	"testing"
)

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
