package workerman

import (
	"crypto/tls"
	"fmt"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

func TestPlainAddress(t *testing.T) {
	for _, test := range []struct {
		address, transport string
		plain, over        string
		secure             bool
	}{
		{"text://h:1", "", "text://h:1", "", false},
		{"TEXT://h:1", "udp", "text://h:1", "udp", false},
		{"ssl://h:1", "", "tcp://h:1", "", true},
		{"TLS://h:1", "tcp", "tcp://h:1", "tcp", true},
		{"https://h:1", "", "http://h:1", "", true},
		{"wss://h:1", "", "websocket://h:1", "", true},
		{"ws://h:1", "", "websocket://h:1", "", false},
		{"ws+ssl://h:1", "", "websocket://h:1", "", true},
		{"ws+unix:///p", "", "websocket+unix:///p", "", false},
		{"text+tls://h:1", "", "text://h:1", "", true},
		{"http://h:1", "ssl", "http://h:1", "", true},
		{"h:1", "", "h:1", "", false},
		{"text+://h:1", "", "text+://h:1", "", false},
	} {
		plain, over, secure := plainAddress(test.address, test.transport)
		if plain != test.plain || over != test.over || secure != test.secure {
			t.Errorf("%s over %q: %s, %q, %v", test.address, test.transport, plain, over, secure)
		}
	}
}

func TestReservedSchemes(t *testing.T) {
	for name := range aliases {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s can be registered, and never be reached", name)
				}
			}()
			RegisterProtocol(name, textProtocol{})
		}()
	}
}

// A scheme offers by ALPN what it speaks, unless the user says something else.
func TestALPNOfSchemes(t *testing.T) {
	var settings ServerTLS
	settings.CertFile, settings.KeyFile = testkit.NewAuthority("authority").Files(t, "a.test")
	for _, test := range []struct {
		scheme string
		config *tls.Config // of the user
		want   []string
	}{
		{"http", nil, []string{"http/1.1"}},
		{"websocket", nil, []string{"http/1.1"}},
		{"text", nil, nil},
		{"http", &tls.Config{NextProtos: []string{"own"}}, []string{"own"}},
	} {
		settings.Config = test.config
		s, err := settings.newServer("w", test.scheme, new(Master), discardLogger())
		if err != nil {
			t.Fatal(err)
		}
		got := s.Current()
		if fmt.Sprint(got.NextProtos) != fmt.Sprint(test.want) || got.MinVersion != tls.VersionTLS12 {
			t.Errorf("%s: ALPN %q from version %x", test.scheme, got.NextProtos, got.MinVersion)
		}
	}
}
