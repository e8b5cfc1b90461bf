package workerman

import "testing"

var _ ProtocolHooks = bothHooks{}

type onlyConnect struct{ textProtocol }

func (onlyConnect) OnConnect(*Conn) {}

type onlyClose struct{ textProtocol }

func (onlyClose) OnClose(*Conn) {}

type bothHooks struct{ onlyConnect }

func (bothHooks) OnClose(*Conn) {}

// A protocol with one of the two hooks is told of that alone.
func TestProtocolHooks(t *testing.T) {
	for _, c := range []struct {
		name            string
		protocol        Protocol
		connect, closed bool
	}{
		{"no protocol", nil, false, false},
		{"none", textProtocol{}, false, false},
		{"OnConnect", onlyConnect{}, true, false},
		{"OnClose", onlyClose{}, false, true},
		{"both", bothHooks{}, true, true},
	} {
		connect, closed := protocolHooks(c.protocol)
		if (connect != nil) != c.connect || (closed != nil) != c.closed {
			t.Errorf("%s: got %t and %t, want %t and %t", c.name, connect != nil, closed != nil, c.connect, c.closed)
		}
		if got := hasHooks(c.protocol); got != (c.connect || c.closed) {
			t.Errorf("%s: hasHooks: got %t, want %t", c.name, got, c.connect || c.closed)
		}
	}
}
