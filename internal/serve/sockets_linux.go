package serve

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/socket"
)

// Sockets are those that the master has opened for this process, or opens on demand. Its
// methods may be called from any goroutine.
type Sockets struct {
	link *control.Link
	key  string // the worker whose sockets came with the start

	mu      sync.Mutex // guards what follows
	first   []int      // descriptors of these, until they are taken
	asked   uint64
	answers map[uint64]chan socketAnswer
}

// socketAnswer is the master's answer to control.Listen.
type socketAnswer struct {
	fds []int
	err error
}

// socketPatience is how long a process waits for a socket of the master.
const socketPatience = 10 * time.Second

func newSockets(link *control.Link, key string, first []int) *Sockets {
	return &Sockets{link: link, key: key, first: first, answers: make(map[uint64]chan socketAnswer)}
}

// Listen returns n listeners on an address for the worker of a key. shared asks for sockets
// with SO_REUSEPORT. An error says why the master could not open them.
func (s *Sockets) Listen(key string, a socket.Address, n int, shared bool) ([]net.Listener, error) {
	return take(s, key, a, n, shared, net.FileListener)
}

// ListenPackets returns n sockets for datagrams, as Listen does.
func (s *Sockets) ListenPackets(key string, a socket.Address, n int, shared bool) ([]*net.UDPConn, error) {
	return take(s, key, a, n, shared, func(f *os.File) (*net.UDPConn, error) {
		pc, err := net.FilePacketConn(f)
		if err != nil {
			return nil, err
		}
		return pc.(*net.UDPConn), nil
	})
}

// take makes what open makes of n descriptors of the master: all of them, or none.
func take[T interface{ Close() error }](s *Sockets, key string, a socket.Address, n int, shared bool, open func(*os.File) (T, error)) (list []T, err error) {
	fds, err := s.descriptors(key, a, n, shared)
	if err != nil {
		return nil, err
	}
	if len(fds) < n {
		control.CloseAll(fds)
		return nil, fmt.Errorf("the master gave %d sockets for %d loops: restart the program", len(fds), n)
	}
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		if i < n && err == nil {
			var opened T
			if opened, err = open(f); err == nil {
				list = append(list, opened)
			}
		}
		f.Close()
	}
	if err != nil {
		for _, opened := range list {
			opened.Close()
		}
		return nil, err
	}
	return list, nil
}

// descriptors returns those of the start, or new ones of the master.
func (s *Sockets) descriptors(key string, a socket.Address, n int, shared bool) ([]int, error) {
	s.mu.Lock()
	if key == s.key && s.first != nil {
		fds := s.first
		s.first = nil
		s.mu.Unlock()
		return fds, nil
	}
	s.asked++
	id, ch := s.asked, make(chan socketAnswer, 1)
	s.answers[id] = ch
	s.mu.Unlock()
	err := s.link.Send(control.Message{
		Kind: control.Listen, ID: id, Key: key, Network: a.Network, Address: a.String(), Sockets: n, Shared: shared,
	})
	if err != nil {
		return nil, err
	}
	select {
	case r := <-ch:
		return r.fds, r.err
	case <-time.After(socketPatience):
		return nil, errors.New("the master does not answer")
	}
}

// answered passes the master's answer on. It reports whether somebody takes the descriptors.
func (s *Sockets) answered(m control.Message, fds []int) bool {
	r := socketAnswer{fds: fds}
	if m.Error != "" {
		r.err = errors.New(m.Error)
	}
	s.mu.Lock()
	ch := s.answers[m.ID]
	delete(s.answers, m.ID)
	s.mu.Unlock()
	if ch != nil {
		ch <- r
	}
	return ch != nil
}
