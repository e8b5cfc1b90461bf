package loop

import (
	"testing"
)

// transports runs a test with each engine on TCP and on a Unix socket.
func transports(t *testing.T, test func(t *testing.T, e Engine, network string)) {
	t.Helper()
	engines(t, func(t *testing.T, e Engine) {
		for _, network := range []string{"tcp", "unix"} {
			t.Run(network, func(t *testing.T) { test(t, e, network) })
		}
	})
}

func TestEcho(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, nil)
		c, stream := s.connect()
		for _, size := range []int{1, 100, 65535, 65536, 65537, 1 << 20} {
			want := pattern(size, 1)
			go c.Write(want)
			c.expect(want)
		}
		c.closeWrite()
		c.expectEnd(nil)
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v) after an orderly end", err)
		}
		total := uint64(1 + 100 + 65535 + 65536 + 65537 + 1<<20)
		if in, out, sends := stream.Counts(); in != total || out != total || sends == 0 {
			t.Errorf("counted %d in, %d out, %d sends; %d bytes went each way", in, out, sends, total)
		}
	})
}

func TestAddresses(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, nil)
		c, stream := s.connect()
		if network == "unix" {
			if a := stream.LocalAddr(); a.IsValid() {
				t.Errorf("a Unix socket has the address %v", a)
			}
			return
		}
		if got, want := stream.LocalAddr().String(), c.RemoteAddr().String(); got != want {
			t.Errorf("local address %s, want %s", got, want)
		}
		stream.Destroy(ErrDestroyed)
		await(t, stream.closed)
		if a := stream.LocalAddr(); a.IsValid() {
			t.Errorf("a closed stream has the address %v", a)
		}
	})
}

// The accepted socket says who the peer is.
func TestIncoming(t *testing.T) {
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, nil)
		seen := make(chan Incoming, 1)
		on(t, s.loop, func() {
			s.onAccept = func(in Incoming) {
				seen <- in
				in.Discard()
			}
		})
		c := s.dial()
		in := await(t, seen)
		if in.Unix != (network == "unix") {
			t.Errorf("Unix is %v", in.Unix)
		}
		if network == "tcp" && in.Remote.String() != c.LocalAddr().String() {
			t.Errorf("peer %v, want %v", in.Remote, c.LocalAddr())
		}
		if network == "unix" && in.Remote.IsValid() {
			t.Errorf("a Unix peer has the address %v", in.Remote)
		}
		c.expectEnd(nil) // Discard closed it
	})
}
