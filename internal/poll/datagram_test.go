//go:build linux

package poll

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/socket"
)

// udpSocket is a bound socket and its address.
func udpSocket(t *testing.T, host string) (fd int, at netip.AddrPort) {
	t.Helper()
	pc, err := socket.ListenPacket(socket.Address{Network: "udp", Host: host}, socket.Options{})
	if err != nil {
		t.Skipf("no socket on %s: %v", host, err)
	}
	defer pc.Close()
	fd, err = socket.Descriptor(pc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Close(fd) })
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20)
	return fd, socket.LocalAddr(fd)
}

// receive waits for count datagrams.
func receive(t *testing.T, fd, count int) (datagrams [][]byte, from []netip.AddrPort) {
	t.Helper()
	r := NewReceiver()
	e := newEpoll(t)
	if err := e.Add(fd, Token{1, 0}, Readable, false); err != nil {
		t.Fatal(err)
	}
	for len(datagrams) < count {
		if len(wait(t, e)) == 0 {
			t.Fatalf("%d of %d datagrams arrived", len(datagrams), count)
		}
		n, err := r.Receive(fd)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			a, b := r.Datagram(i)
			datagrams, from = append(datagrams, bytes.Clone(b)), append(from, a)
		}
	}
	if _, err := r.Receive(fd); err != Again {
		t.Errorf("more datagrams than %d: %v", count, err)
	}
	return datagrams, from
}

func filled(size int, mark byte) []byte { return bytes.Repeat([]byte{mark}, size) }

// Batches of every mixture of sizes and peers arrive as they were added.
func TestSenderDelivers(t *testing.T) {
	for name, sizes := range map[string][]int{
		"one":                     {10},
		"empty":                   {0},
		"only empty":              {0, 0, 0},
		"equal":                   {100, 100, 100},
		"shorter last":            {100, 100, 7},
		"longer last":             {100, 100, 101},
		"empty between":           {100, 0, 100, 100, 0},
		"descending":              {5, 4, 3, 2, 1},
		"ascending":               {1, 2, 3, 4, 5},
		"largest pieces":          {1200, 1200, 1200, 3},
		"too large for pieces":    {1201, 1201},
		"largest datagram":        {10, 65507, 10},
		"a full batch":            fill(Batch, 50),
		"a full batch of largest": fill(Batch, 1200),
	} {
		t.Run(name, func(t *testing.T) {
			for _, peers := range []int{1, 2} {
				testSender(t, sizes, peers)
			}
		})
	}
}

func fill(n, size int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = size
	}
	return sizes
}

func testSender(t *testing.T, sizes []int, peers int) {
	t.Helper()
	fd, at := udpSocket(t, "127.0.0.1")
	s := NewSender(at)
	var fds []int
	var to []netip.AddrPort
	for range peers {
		fd, at := udpSocket(t, "127.0.0.1")
		fds, to = append(fds, fd), append(to, at)
	}
	want := make([][][]byte, peers)
	for i, size := range sizes {
		p, b := i%peers, filled(size, byte(i+1))
		want[p] = append(want[p], bytes.Clone(b))
		s.Add(to[p], b)
		clear(b)
	}
	if s.Pending() != len(sizes) {
		t.Errorf("%d pending, want %d", s.Pending(), len(sizes))
	}
	if lost, err := s.Send(fd); lost != 0 || err != nil {
		t.Fatalf("%d lost, %v", lost, err)
	}
	if s.Pending() != 0 {
		t.Errorf("%d pending after the send", s.Pending())
	}
	for p := range peers {
		if len(want[p]) == 0 {
			continue
		}
		got, from := receive(t, fds[p], len(want[p]))
		for i := range got {
			if !bytes.Equal(got[i], want[p][i]) || from[i] != at {
				t.Fatalf("datagram %d has %d bytes from %v, want %d from %v", i, len(got[i]), from[i], len(want[p][i]), at)
			}
		}
	}
}

// Neighbours of one size to one peer leave as one packet.
func TestSenderJoinsNeighbours(t *testing.T) {
	a, b := netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2")
	for _, c := range []struct {
		sizes string
		to    string
		want  string // datagrams of each message
	}{
		{"99999", "aaaaa", "[5]"},
		{"99993", "aaaaa", "[5]"},
		{"99399", "aaaaa", "[3 2]"},
		{"39", "aa", "[1 1]"},
		{"9990", "aaaa", "[3 1]"},
		{"0099", "aaaa", "[1 1 2]"},
		{"9999", "aabb", "[2 2]"},
		{"9999", "abab", "[1 1 1 1]"},
	} {
		s := NewSender(a)
		for i := range c.sizes {
			to := a
			if c.to[i] == 'b' {
				to = b
			}
			s.Add(to, make([]byte, int(c.sizes[i]-'0')*100))
		}
		n := s.build(0)
		var runs []int
		for i := range n {
			runs = append(runs, s.first[i+1]-s.first[i])
		}
		if got := fmt.Sprint(runs); got != c.want {
			t.Errorf("sizes %s to %s: %s, want %s", c.sizes, c.to, got, c.want)
		}
	}
}

// A full batch of large pieces must not be taken for a sign that the system cannot cut
// packets at all.
func TestSenderGoesOnJoiningAfterAFullBatch(t *testing.T) {
	fd, at := udpSocket(t, "127.0.0.1")
	peer, to := udpSocket(t, "127.0.0.1")
	s := NewSender(at)
	s.Add(to, make([]byte, 100))
	s.Add(to, make([]byte, 100))
	if _, err := s.Send(fd); err != nil || s.whole {
		t.Skipf("this system does not cut packets (%v)", err)
	}
	receive(t, peer, 2)
	for range Batch {
		s.Add(to, make([]byte, maxSegmentSize))
	}
	if lost, err := s.Send(fd); lost != 0 || err != nil {
		t.Fatalf("%d lost, %v", lost, err)
	}
	receive(t, peer, Batch)
	if s.whole {
		t.Error("the sender gave up joining datagrams")
	}
}

// One datagram that the system refuses takes no other with it.
func TestSenderLosesOnlyWhatIsRefused(t *testing.T) {
	fd, at := udpSocket(t, "127.0.0.1")
	peer, to := udpSocket(t, "127.0.0.1")
	s := NewSender(at)
	s.Add(to, filled(10, 1))
	s.Add(to, filled(65508, 2))
	s.Add(to, filled(10, 3))
	if lost, err := s.Send(fd); lost != 1 || err != unix.EMSGSIZE {
		t.Errorf("%d lost, %v, want 1 and %v", lost, err, unix.EMSGSIZE)
	}
	got, _ := receive(t, peer, 2)
	if got[0][0] != 1 || got[1][0] != 3 {
		t.Errorf("datagrams %d and %d arrived", got[0][0], got[1][0])
	}
}

func TestSenderKeepsNoHugeMemory(t *testing.T) {
	fd, at := udpSocket(t, "127.0.0.1")
	s := NewSender(at)
	for range Batch {
		s.Add(at, make([]byte, 60_000))
	}
	s.Send(fd)
	if n := cap(s.mem); n > maxSpare {
		t.Errorf("%d bytes are kept", n)
	}
}

func TestDatagramsOverIPv6(t *testing.T) {
	fd, at := udpSocket(t, "::")
	for _, c := range []struct{ bind, peer string }{{"::1", "::1"}, {"127.0.0.1", "127.0.0.1"}} {
		peer, peerAt := udpSocket(t, c.bind)
		s := NewSender(at)
		s.Add(peerAt, []byte("hello"))
		if lost, err := s.Send(fd); lost != 0 || err != nil {
			t.Fatalf("to %v: %d lost, %v", peerAt, lost, err)
		}
		got, from := receive(t, peer, 1)
		if string(got[0]) != "hello" || from[0].Addr() != netip.MustParseAddr(c.peer) || from[0].Port() != at.Port() {
			t.Errorf("%q from %v", got[0], from[0])
		}
		back := NewSender(peerAt)
		back.Add(from[0], []byte("yes"))
		if lost, err := back.Send(peer); lost != 0 || err != nil {
			t.Fatalf("from %v: %d lost, %v", peerAt, lost, err)
		}
		got, from = receive(t, fd, 1)
		if string(got[0]) != "yes" || from[0] != peerAt {
			t.Errorf("%q from %v, want from %v", got[0], from[0], peerAt)
		}
	}
}

func TestReceiveOfTheLargestDatagram(t *testing.T) {
	fd, at := udpSocket(t, "127.0.0.1")
	c, err := net.Dial("udp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := filled(65507, 9)
	for range 3 {
		if _, err := c.Write(want); err != nil {
			t.Fatal(err)
		}
	}
	got, from := receive(t, fd, 3)
	for i := range got {
		if !bytes.Equal(got[i], want) || from[i].String() != c.LocalAddr().String() {
			t.Errorf("datagram %d has %d bytes from %v", i, len(got[i]), from[i])
		}
	}
}
