package workerman

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A thousand clients talk without waiting for answers, while all of them move to and fro
// between two masters with two loops each. No byte is lost, doubled or out of order, and no
// connection is closed.
func TestHandoverStorm(t *testing.T) {
	const clients, rounds, window = 1000, 10, 4
	var closed, paused atomic.Int64
	n := startNeighbours(t, "text://127.0.0.1:0", func(w *Worker) {
		w.Loops = 2
		echo(w)
		w.Handover = HandoverAlways
		w.OnClose = func(c *Conn) { closed.Add(1) }
		w.OnHandover = func(c *Conn) ([]byte, error) { return time.Now().AppendBinary(nil) }
		w.OnAdopt = func(c *Conn, data []byte) {
			var left time.Time
			if left.UnmarshalBinary(data) == nil {
				paused.Add(int64(time.Since(left)))
			}
		}
	})
	conns := make([]net.Conn, clients)
	for i := range conns {
		conns[i] = dial(t, n.workers[0])
	}
	eventually(t, "all are connected", func() bool { return len(idsOf(n.workers[0])) == clients })
	ids := idsOf(n.workers[0])
	stop := make(chan struct{})
	var all sync.WaitGroup
	var messages atomic.Int64
	for _, c := range conns {
		inFlight := make(chan int, window)
		all.Go(func() { // writes
			defer close(inFlight)
			pace := time.NewTicker(200 * time.Millisecond) // leaves processors for the moves
			defer pace.Stop()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case inFlight <- i:
				}
				if i%window == 0 {
					<-pace.C
				}
				if _, err := fmt.Fprintf(c, "%d\n", i); err != nil {
					t.Error(err)
					return
				}
			}
		})
		all.Go(func() { // reads
			r := bufio.NewReader(c)
			for i := range inFlight {
				if line, err := r.ReadString('\n'); err != nil || line != fmt.Sprintf("%d\n", i) {
					t.Errorf("%q, %v instead of %d", line, err, i)
					return
				}
				messages.Add(1)
			}
		})
	}
	began := time.Now()
	for range rounds {
		before := messages.Load()
		n.expectMove(clients)
		eventually(t, "the talk goes on", func() bool { return messages.Load() >= before+2*clients })
	}
	took := time.Since(began)
	close(stop)
	all.Wait()
	if !equalSets(ids, idsOf(n.workers[0])) || closed.Load() != 0 {
		t.Errorf("%d of %d are left, %d were closed", len(idsOf(n.workers[0])), clients, closed.Load())
	}
	for _, c := range conns { // nothing comes twice
		c.(*net.TCPConn).CloseWrite()
		if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
			t.Fatalf("%q, %v at the end", rest, err)
		}
	}
	t.Logf("%d messages; %d moves and talks in %v; a connection pauses for %v", messages.Load(), clients*rounds, took,
		time.Duration(paused.Load()/clients/rounds))
}

// Broadcasts go on while connections move: whoever gets one gets the later ones, too.
func TestHandoverOfAudience(t *testing.T) {
	const clients = 50
	n := startNeighbours(t, "text://127.0.0.1:0", nil)
	conns := make([]net.Conn, clients)
	for i := range conns {
		conns[i] = dial(t, n.workers[0])
	}
	eventually(t, "all are connected", func() bool { return len(idsOf(n.workers[0])) == clients })
	stop, stopped := make(chan struct{}), make(chan struct{})
	workers := slices.Clone(n.workers[:])
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			for _, w := range workers {
				w.Broadcast(fmt.Appendf(nil, "%d", i))
			}
		}
	}()
	for range 5 {
		n.expectMove(clients)
	}
	close(stop)
	<-stopped
	n.workers[0].Broadcast([]byte("end"))
	for _, c := range conns {
		last, r := -1, bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if line == "end\n" {
				break
			}
			var i int
			if _, scan := fmt.Sscanf(line, "%d\n", &i); scan != nil || err != nil || i < last {
				t.Fatalf("%q, %v behind %d", line, err, last)
			}
			last = i
		}
	}
}
