package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// udpHeader is a datagram's number (8 bytes) and its slot (4 bytes); the
	// rest is pattern.
	udpHeader = 12
	// lossTimeout is when a datagram without an echo counts as lost and its
	// slot sends a new one: no loss can stop the run.
	lossTimeout = 100 * time.Millisecond
	// lossCheck is how often the slots are looked through for that.
	lossCheck = 10 * time.Millisecond
)

// slot is one datagram in flight.
type slot struct {
	number uint64
	data   []byte // exactly what was sent
	sent   int64
}

// udpLoad drives all sockets from one goroutine. Each keeps depth datagrams
// in flight; an echo is answered at once with the next datagram of its slot.
type udpLoad struct {
	*phase
	fds     []int
	slots   [][]slot // the slots of each socket
	pattern []byte
	number  uint64

	in, out       []mmsghdr
	inIov, outIov []unix.Iovec
	inBuf         [][]byte
}

func runUDP(cfg clientConfig) (clientResult, error) {
	l := &udpLoad{
		phase:   newPhase(cfg),
		pattern: newPattern(cfg.Size),
		in:      make([]mmsghdr, cfg.depth),
		inIov:   make([]unix.Iovec, cfg.depth),
		inBuf:   make([][]byte, cfg.depth),
		out:     make([]mmsghdr, cfg.depth),
		outIov:  make([]unix.Iovec, cfg.depth),
	}
	for i := range l.in {
		l.inBuf[i] = make([]byte, cfg.Size+1) // one more, to see a longer echo
		l.in[i].point(&l.inIov[i], l.inBuf[i])
	}
	if err := l.open(); err != nil {
		return clientResult{}, err
	}
	ep, err := newEpoll(l.fds, unix.EPOLLIN)
	if err != nil {
		return clientResult{}, fmt.Errorf("epoll: %w", err)
	}
	for i := range l.fds {
		if err := l.resend(i, 0); err != nil {
			return clientResult{}, err
		}
	}
	events := make([]unix.EpollEvent, 256)
	nextCheck := now() + int64(lossCheck)
	for {
		n, errno := pollEvents(ep, events)
		if errno != 0 {
			return clientResult{}, fmt.Errorf("epoll: %w", errno)
		}
		for _, ev := range events[:n] {
			if err := l.ready(int(ev.Fd)); err != nil {
				return clientResult{}, fmt.Errorf("socket %d: %w", ev.Fd, err)
			}
		}
		t := now()
		if t > nextCheck {
			nextCheck = t + int64(lossCheck)
			for i := range l.fds {
				if err := l.resend(i, t); err != nil {
					return clientResult{}, err
				}
			}
		}
		if over, err := l.at(t); err != nil {
			return clientResult{}, err
		} else if over {
			return l.result()
		}
	}
}

// open makes the connected sockets and their slots.
func (l *udpLoad) open() error {
	to := &unix.SockaddrInet4{Addr: l.cfg.addr.Addr().As4(), Port: int(l.cfg.addr.Port())}
	for range l.cfg.conns {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		if err := unix.Connect(fd, to); err != nil {
			return fmt.Errorf("connect to %s: %w", l.cfg.addr, err)
		}
		slots := make([]slot, l.cfg.depth)
		for i := range slots {
			slots[i].data = make([]byte, l.cfg.Size)
		}
		l.fds = append(l.fds, fd)
		l.slots = append(l.slots, slots)
	}
	return nil
}

// ready handles an edge of a socket: it reads until the socket is empty and
// answers every echo.
func (l *udpLoad) ready(i int) error {
	for {
		n, errno := recvmmsg(l.fds[i], l.in)
		if errno == unix.EAGAIN || errno == unix.EINTR {
			return nil
		}
		if errno != 0 {
			return fmt.Errorf("receive: %w", errno)
		}
		t := now()
		fresh := 0
		for k := range n {
			at, err := l.take(i, l.inBuf[k], l.in[k].len, t)
			if err != nil {
				return err
			}
			if at != nil {
				l.fill(at, fresh, t)
				fresh++
			}
		}
		if err := l.send(i, fresh); err != nil {
			return err
		}
		if n < len(l.in) {
			return nil
		}
	}
}

// take checks an echo and returns its slot, or nil if the slot had given it up
// as lost before.
func (l *udpLoad) take(i int, buf []byte, length uint32, t int64) (*slot, error) {
	if int(length) != l.cfg.Size {
		return nil, fmt.Errorf("an echo has %d bytes, not %d", length, l.cfg.Size)
	}
	at := binary.LittleEndian.Uint32(buf[8:])
	if at >= uint32(l.cfg.depth) {
		return nil, fmt.Errorf("an echo names slot %d of %d", at, l.cfg.depth)
	}
	s := &l.slots[i][at]
	if binary.LittleEndian.Uint64(buf) != s.number {
		return nil, nil
	}
	if !bytes.Equal(buf[:length], s.data) {
		return nil, fmt.Errorf("an echoed byte of datagram %d is wrong", s.number)
	}
	l.hist.record(t - s.sent)
	l.messages++
	return s, nil
}

// fill makes the next datagram of a slot and puts it at place k of the batch.
func (l *udpLoad) fill(s *slot, k int, t int64) {
	l.number++
	s.number = l.number
	s.sent = t
	binary.LittleEndian.PutUint64(s.data, s.number)
	copy(s.data[udpHeader:], l.pattern[s.number%patternShifts:])
	l.out[k].point(&l.outIov[k], s.data)
}

// send sends the first n datagrams of the batch. One that the socket does not
// take is left to lossTimeout.
func (l *udpLoad) send(i, n int) error {
	if n == 0 {
		return nil
	}
	_, errno := sendmmsg(l.fds[i], l.out[:n])
	switch errno {
	case 0, unix.EAGAIN, unix.EINTR, syscall.ENOBUFS:
		return nil
	}
	return fmt.Errorf("send: %w", errno)
}

// resend gives up what a socket has had in flight for too long, and sends anew
// in its place. With t = 0 it sends the first datagram of every slot.
func (l *udpLoad) resend(i int, t int64) error {
	fresh := 0
	for k := range l.slots[i] {
		s := &l.slots[i][k]
		if t != 0 && t-s.sent < int64(lossTimeout) {
			continue
		}
		if t != 0 {
			l.lost++
		}
		binary.LittleEndian.PutUint32(s.data[8:], uint32(k))
		l.fill(s, fresh, now())
		fresh++
	}
	return l.send(i, fresh)
}
