package loop

import (
	"io"
	"testing"
)

// A message that comes and goes makes no garbage.
func TestEchoAllocatesNothing(t *testing.T) {
	if racing {
		t.Skip("the race detector makes pools drop what they hold")
	}
	for _, network := range []string{"tcp", "unix"} {
		for _, size := range []int{1, 1000, 20_000} {
			s := serve(t, Native, network, nil)
			c, _ := s.connect()
			out, in := make([]byte, size), make([]byte, size)
			n := testing.AllocsPerRun(500, func() {
				if _, err := c.Write(out); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(c, in); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%s: %v allocations for a message of %d bytes", network, n, size)
			}
		}
	}
}

// Arming a deadline again and again, as an idle limit does, makes none either.
func TestTimersOfStreamsAllocateNothing(t *testing.T) {
	s := serve(t, Native, "tcp", nil)
	_, stream := s.connect()
	on(t, s.loop, func() {
		if n := testing.AllocsPerRun(100, func() { stream.SetDeadline(s.loop.Now() + 100_000) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
		stream.SetDeadline(0)
	})
}
