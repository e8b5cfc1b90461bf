package workerman_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// These are asserted numbers as those of integration/numbers; what they are made of is counted
// inside of the loops.

// line64 is a text message of 64 bytes.
var line64 = append(bytes.Repeat([]byte("x"), 64), '\n')

func TestSyscallsPerMessage(t *testing.T) {
	const conns, rounds = 64, 200
	for _, test := range []struct {
		depth int
		limit float64
	}{{1, 2.3}, {16, 0.2}} {
		t.Run(fmt.Sprintf("depth %d", test.depth), func(t *testing.T) {
			_, w := serve(t, kind{Network: "tcp"}, "text", echo)
			burst := bytes.Repeat(line64, test.depth)
			clients := make([]net.Conn, conns)
			for i := range clients {
				clients[i] = dial(t, w)
			}
			answer := make([]byte, len(burst))
			// A round: every client has a burst in flight before the loop looks, as under
			// load; how many that would be otherwise depends on the machine's scheduling.
			round := func() {
				held, release := make(chan struct{}), make(chan struct{})
				w.Post(func() { close(held); <-release })
				<-held
				for _, c := range clients {
					c.Write(burst)
				}
				close(release)
				for _, c := range clients {
					if _, err := io.ReadFull(c, answer); err != nil || !bytes.Equal(answer, burst) {
						t.Fatalf("%q, %v", answer, err)
					}
				}
			}
			round()
			counters := w.Counters()
			before := calls(w, counters)
			for range rounds {
				round()
			}
			per := float64(calls(w, counters)-before) / (conns * rounds * float64(test.depth))
			t.Logf("%.3f system calls per message", per)
			if per > test.limit {
				t.Errorf("%.3f system calls per message, want at most %v", per, test.limit)
			}
		})
	}
}

// calls sums up the counters on the loop, where they may be read.
func calls(w *workerman.Worker, c *loop.Counters) uint64 {
	sum := make(chan uint64)
	w.Post(func() { sum <- c.Waits + c.Reads + c.Writes.Load() + c.Ctls.Load() + c.Wakes.Load() })
	return <-sum
}

// A message costs the calls to the system that it costs in clear.
func TestSyscallsPerTLSMessage(t *testing.T) {
	const rounds = 100
	_, w, a := serveTLS(t, kind{Network: "tcp"}, "text+ssl", echo)
	clients := make([]*tls.Conn, 16)
	for i := range clients {
		clients[i] = workertest.DialTLS(t, w, a.ClientConfig("a.test"))
	}
	answer := make([]byte, len(line64))
	round := func() {
		held, release := make(chan struct{}), make(chan struct{})
		w.Post(func() { close(held); <-release })
		<-held
		for _, c := range clients {
			c.Write(line64)
		}
		close(release)
		for _, c := range clients {
			if _, err := io.ReadFull(c, answer); err != nil || !bytes.Equal(answer, line64) {
				t.Fatalf("%q, %v", answer, err)
			}
		}
	}
	round()
	counters := w.Counters()
	before := calls(w, counters)
	for range rounds {
		round()
	}
	per := float64(calls(w, counters)-before) / float64(rounds*len(clients))
	t.Logf("%.3f system calls per message", per)
	if per > 2.5 {
		t.Errorf("%.3f system calls per message", per)
	}
}
