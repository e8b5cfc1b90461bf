package examples

import (
	"net"
	"testing"
	"time"
)

// The first question gets lost.
func TestUDPClient(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		server, err := net.ListenPacket("udp", anyPort)
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		server.SetDeadline(time.Now().Add(patience))
		p := start(t, engine, "udpclient", "-to", "udp://"+server.LocalAddr().String(), "-say", "hello", "-again", "50ms")
		b := make([]byte, 100)
		var peer net.Addr
		for range 2 {
			var n int
			if n, peer, err = server.ReadFrom(b); err != nil || string(b[:n]) != "hello" {
				t.Fatalf("%q, %v", b[:n], err)
			}
		}
		server.WriteTo([]byte("answer"), peer)
		p.says("received answer\n")
		if status := p.Status(); status != 0 {
			t.Errorf("exit status %d", status)
		}
	})
}
