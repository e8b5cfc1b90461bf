package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// broadcastLoad has one connection send texts that the server passes on to all,
// itself included. The next one is sent when one has arrived everywhere; only
// then the phases change, so what is measured are whole broadcasts.
type broadcastLoad struct {
	*phase
	dialog *frameDialog
	buf    []byte
	conns  []listener
	sent   int   // texts
	left   int   // how many connections the last one has not reached
	start  int64 // when it was sent
}

// listener is one connection. It gets every text, in order.
type listener struct {
	wire
	got  int // texts
	rest []byte
}

func runBroadcast(cfg clientConfig) (clientResult, error) {
	d, err := newFrameDialog(cfg.load, 1)
	if err != nil {
		return clientResult{}, err
	}
	wires, err := connectAll(cfg)
	if err != nil {
		return clientResult{}, err
	}
	ep, err := watchAll(wires, unix.EPOLLIN)
	if err != nil {
		return clientResult{}, err
	}
	l := &broadcastLoad{
		phase:  newPhase(cfg),
		dialog: d,
		buf:    make([]byte, 2*readRoom),
		conns:  make([]listener, len(wires)),
	}
	l.pauses = true // the server has nothing to do then anyway, and the allocations are exact
	for i, w := range wires {
		l.conns[i].wire = w
	}
	events := make([]unix.EpollEvent, 256)
	for {
		if l.left == 0 {
			over, err := l.at(now())
			switch {
			case err != nil:
				return clientResult{}, err
			case over:
				return l.result()
			}
			if err := l.publish(); err != nil {
				return clientResult{}, err
			}
		}
		n, errno := pollEvents(ep, events)
		if errno != 0 {
			return clientResult{}, fmt.Errorf("epoll: %w", errno)
		}
		for _, ev := range events[:n] {
			if err := l.ready(int(ev.Fd)); err != nil {
				return clientResult{}, fmt.Errorf("connection %d: %w", ev.Fd, err)
			}
		}
		if err := l.stalled(now()); err != nil {
			return clientResult{}, err
		}
	}
}

// publish sends the next text. There is always room for it: the one before has
// come back.
func (l *broadcastLoad) publish() error {
	l.left, l.start = len(l.conns), now()
	frame := l.dialog.burst(0, l.sent)
	l.sent++
	n, err := l.conns[0].write(frame)
	if err == nil && n < len(frame) {
		err = unix.EAGAIN
	}
	if err != nil {
		return fmt.Errorf("write a text: %w", err)
	}
	return nil
}

// ready reads until the socket is empty.
func (l *broadcastLoad) ready(i int) error {
	c := &l.conns[i]
	for {
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
		used, err := l.take(c, l.buf[:kept+n])
		if err != nil {
			return fmt.Errorf("text %d: %w", c.got, err)
		}
		if c.rest = append(c.rest[:0], l.buf[used:kept+n]...); len(c.rest) > readRoom {
			return fmt.Errorf("text %d does not end", c.got)
		}
		if n < readRoom && c.got == l.sent {
			return nil
		}
	}
}

// take checks the texts in what has arrived.
func (l *broadcastLoad) take(c *listener, in []byte) (used int, err error) {
	t := now()
	for used < len(in) {
		if c.got == l.sent {
			return used, fmt.Errorf("%d bytes too many came", len(in)-used)
		}
		at := 0
		size, done, err := l.dialog.check(0, c.got, &at, in[used:])
		if err != nil || !done {
			return used, err
		}
		used += size
		c.got++
		l.left--
		l.messages++
		l.hist.record(t - l.start)
	}
	return used, nil
}
