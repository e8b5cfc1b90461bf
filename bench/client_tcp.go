package main

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"
)

// tcpConn is one connection under load. It sends a burst of depth messages in
// one write, waits until all of them are back, and sends the next.
type tcpConn struct {
	fd     int
	bursts int    // sent so far
	out    []byte // what is left to send of this burst
	want   []byte // what is left to come back of it
	start  int64  // when the burst was sent
}

// tcpLoad drives all connections from one goroutine.
type tcpLoad struct {
	*phase
	burst   int // bytes
	pattern []byte
	buf     []byte
	conns   []tcpConn
}

func runTCP(cfg clientConfig) (clientResult, error) {
	fds, err := connectTCP(cfg)
	if err != nil {
		return clientResult{}, err
	}
	for _, fd := range fds {
		if err := unix.SetNonblock(fd, true); err != nil {
			return clientResult{}, err
		}
	}
	ep, err := newEpoll(fds, unix.EPOLLIN|unix.EPOLLOUT)
	if err != nil {
		return clientResult{}, fmt.Errorf("epoll: %w", err)
	}
	burst := cfg.size * cfg.depth
	l := &tcpLoad{
		phase:   newPhase(cfg),
		burst:   burst,
		pattern: newPattern(burst),
		buf:     make([]byte, burst),
		conns:   make([]tcpConn, len(fds)),
	}
	for i, fd := range fds {
		l.conns[i].fd = fd
		if err := l.sendBurst(i, now()); err != nil {
			return clientResult{}, err
		}
	}
	events := make([]unix.EpollEvent, 256)
	for {
		n, errno := pollEvents(ep, events)
		if errno != 0 {
			return clientResult{}, fmt.Errorf("epoll: %w", errno)
		}
		for _, ev := range events[:n] {
			if err := l.ready(int(ev.Fd)); err != nil {
				return clientResult{}, fmt.Errorf("connection %d: %w", ev.Fd, err)
			}
		}
		if over, err := l.at(now()); err != nil {
			return clientResult{}, err
		} else if over {
			return l.result()
		}
	}
}

// sendBurst starts the next burst of a connection. The moment before the
// write is the start of its latency.
func (l *tcpLoad) sendBurst(i int, t int64) error {
	c := &l.conns[i]
	shift := (i*67 + c.bursts*129) % patternShifts
	c.bursts++
	c.out = l.pattern[shift : shift+l.burst]
	c.want = c.out
	c.start = t
	return c.flush()
}

// flush writes what the socket takes; an EPOLLOUT edge brings back the rest.
func (c *tcpConn) flush() error {
	n, errno := rawWrite(c.fd, c.out)
	switch errno {
	case 0:
		c.out = c.out[n:]
	case unix.EAGAIN, unix.EINTR:
	default:
		return fmt.Errorf("write: %w", errno)
	}
	return nil
}

// ready handles an edge: it reads until the socket is empty or the burst is
// complete, which comes to the same thing, and then sends the next burst.
func (l *tcpLoad) ready(i int) error {
	c := &l.conns[i]
	if len(c.out) > 0 {
		if err := c.flush(); err != nil {
			return err
		}
	}
	for len(c.want) > 0 {
		n, errno := rawRead(c.fd, l.buf[:len(c.want)])
		if errno == unix.EAGAIN {
			return nil
		}
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return fmt.Errorf("read: %w", errno)
		}
		if n == 0 {
			return fmt.Errorf("closed by the server")
		}
		if !bytes.Equal(l.buf[:n], c.want[:n]) {
			return fmt.Errorf("an echoed byte is wrong in burst %d", c.bursts)
		}
		c.want = c.want[n:]
	}
	t := now()
	l.hist.record(t - c.start)
	l.messages += int64(l.cfg.depth)
	return l.sendBurst(i, t)
}
