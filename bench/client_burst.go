package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// readRoom is what a connection is read into at once.
const readRoom = 64 << 10

// burstConn is one connection under load. It sends a burst of depth messages in
// one write, waits until all have been answered, and sends the next.
type burstConn struct {
	wire
	bursts int    // sent so far
	out    []byte // what is left to send of this burst
	at     int    // the dialog's mark
	done   bool   // all of it was answered
	rest   []byte // what has come of an incomplete answer
	start  int64  // when the burst was sent
}

// burstLoad drives all connections from one goroutine.
type burstLoad struct {
	*phase
	dialog dialog
	buf    []byte
	conns  []burstConn
}

func runBursts(cfg clientConfig) (clientResult, error) {
	d, err := newDialog(cfg.load, cfg.depth)
	if err != nil {
		return clientResult{}, err
	}
	wires, err := connectAll(cfg)
	if err != nil {
		return clientResult{}, err
	}
	ep, err := watchAll(wires, unix.EPOLLIN|unix.EPOLLOUT)
	if err != nil {
		return clientResult{}, err
	}
	l := &burstLoad{
		phase:  newPhase(cfg),
		dialog: d,
		buf:    make([]byte, 2*readRoom),
		conns:  make([]burstConn, len(wires)),
	}
	for i, w := range wires {
		l.conns[i].wire = w
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
func (l *burstLoad) sendBurst(i int, t int64) error {
	c := &l.conns[i]
	c.out = l.dialog.burst(i, c.bursts)
	c.bursts++
	c.at, c.done = 0, false
	c.start = t
	return c.flush()
}

// flush writes what the socket takes; an EPOLLOUT edge brings back the rest.
func (c *burstConn) flush() error {
	n, err := c.write(c.out)
	switch err {
	case nil:
		c.out = c.out[n:]
	case unix.EAGAIN, unix.EINTR:
	default:
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// ready handles an edge: it reads until the socket is empty or the burst is
// complete, which comes to the same thing, and then sends the next burst.
func (l *burstLoad) ready(i int) error {
	c := &l.conns[i]
	if len(c.out) > 0 {
		if err := c.flush(); err != nil {
			return err
		}
	}
	for !c.done {
		kept := copy(l.buf, c.rest)
		n, err := c.read(l.buf[kept : kept+readRoom])
		if err == unix.EAGAIN {
			return nil
		}
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("closed by the server")
		}
		in := l.buf[:kept+n]
		used, done, err := l.dialog.check(i, c.bursts-1, &c.at, in)
		if err != nil {
			return fmt.Errorf("burst %d: %w", c.bursts-1, err)
		}
		c.done = done
		c.rest = append(c.rest[:0], in[used:]...)
		switch {
		case done && len(c.rest) > 0:
			return fmt.Errorf("burst %d: %d bytes too many came back", c.bursts-1, len(c.rest))
		case len(c.rest) > readRoom:
			return fmt.Errorf("burst %d: an answer does not end", c.bursts-1)
		}
	}
	t := now()
	l.hist.record(t - c.start)
	l.messages += int64(l.cfg.depth)
	return l.sendBurst(i, t)
}
