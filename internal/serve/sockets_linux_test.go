package serve

import (
	"net"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/socket"
)

// links returns the two ends of a link, that of the process first.
func links(t *testing.T) (process, master *control.Link) {
	t.Helper()
	master, far, err := control.NewLinks()
	if err != nil {
		t.Fatal(err)
	}
	if process, err = control.OpenLink(far); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.Close(); master.Close() })
	return process, master
}

// listening returns a listener on the loopback and a copy of its descriptor.
func listening(t *testing.T) (net.Listener, int) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	fd, err := socket.Descriptor(ln.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	return ln, fd
}

// Sockets of the start are taken once, by the worker that they are for; others are asked for.
func TestSocketsOfTheStartAndOnDemand(t *testing.T) {
	near, far := links(t)
	first, fd := listening(t)
	s := newSockets(near, "a", []int{fd})
	go func() {
		for {
			m, fds, err := near.Receive()
			if err != nil {
				return
			}
			if !s.answered(m, fds) {
				control.CloseAll(fds)
			}
		}
	}()
	other, fd := listening(t)
	asked := make(chan control.Message, 2)
	go func() {
		for {
			m, _, err := far.Receive()
			if err != nil {
				return
			}
			asked <- m
			far.Send(control.Message{Kind: control.Listener, ID: m.ID + 1}) // of nobody's question
			if m.Key == "b" {
				far.Send(control.Message{Kind: control.Listener, ID: m.ID}, fd)
			} else {
				far.Send(control.Message{Kind: control.Listener, ID: m.ID, Error: "no such port"})
			}
		}
	}()
	address := socket.Address{Network: "tcp", Host: "127.0.0.1", Port: 80}
	for _, test := range []struct {
		key  string
		want net.Listener
	}{{"b", other}, {"a", first}} {
		list, err := s.Listen(test.key, address, 1, true)
		if err != nil {
			t.Fatalf("%s: %v", test.key, err)
		}
		if len(list) != 1 || list[0].Addr().String() != test.want.Addr().String() {
			t.Errorf("%s: got %v, want one listener on %v", test.key, list, test.want.Addr())
		}
		for _, ln := range list {
			ln.Close()
		}
	}
	if _, err := s.Listen("a", address, 1, false); err == nil || err.Error() != "no such port" {
		t.Errorf("a again: got %v, want the master's error", err)
	}
	if m := <-asked; m.Kind != control.Listen || m.Key != "b" || m.Network != "tcp" || m.Address != "127.0.0.1:80" || m.Sockets != 1 || !m.Shared {
		t.Errorf("the master was asked for %+v", m)
	}
}

func TestTooFewSockets(t *testing.T) {
	near, _ := links(t)
	_, fd := listening(t)
	s := newSockets(near, "a", []int{fd})
	list, err := s.Listen("a", socket.Address{Network: "tcp"}, 2, true)
	if err == nil || !strings.Contains(err.Error(), "the master gave 1 sockets for 2 loops") || list != nil {
		t.Errorf("got %v, %v, want an error about 1 of 2 sockets", list, err)
	}
}

// A listener is no socket for datagrams: nothing is left open then.
func TestSocketsOfAnotherKind(t *testing.T) {
	near, _ := links(t)
	ln, fd := listening(t)
	s := newSockets(near, "a", []int{fd})
	if list, err := s.ListenPackets("a", socket.Address{Network: "udp"}, 1, false); err == nil {
		t.Errorf("got %v of the listener %v, want an error", list, ln.Addr())
	}
}
