package workerman

import (
	"cmp"
	"net"
	"time"

	"github.com/workerman-go/workerman/internal/handover"
	"github.com/workerman-go/workerman/internal/loop"
)

// handOver moves the connections of all workers over link, a stream socket, to a process that
// runs adopt on its other end. See handover.Send.
//
// A connection that has moved is closed for this process, but without OnClose: OnHandover
// was its last callback. Its timers are stopped, it is in no group any more, and Send on it is
// ErrClosed.
func (m *Master) handOver(link *net.UnixConn, deadline time.Time, progress func(moved, left int)) error {
	return handover.Send(link, (*handoverSource)(m), deadline, progress)
}

// adopt takes the connections that handOver sends on the other end of link, and serves them
// from then on. See handover.Receive; what came before an error is on its loop by then.
//
// MaxConnections and MaxConnectionsPerIP refuse none of them, but they count.
func (m *Master) adopt(link *net.UnixConn) error {
	defer m.settled()
	return handover.Receive(link, m.logger(), m.restore)
}

// handoverSource is a Master as a process whose connections move.
type handoverSource Master

// movingConn is a Conn as handover.Send sees it.
type movingConn Conn

var (
	_ handover.Source = (*handoverSource)(nil)
	_ handover.Conn   = (*movingConn)(nil)
	_ handover.Loop   = (*loop.Loop)(nil)
)

// Connections lists the connections of all workers, none with the portable engine: its sockets
// cannot move.
func (p *handoverSource) Connections() map[handover.Loop][]handover.Conn {
	m := (*Master)(p)
	if m.engine() != loop.Native {
		return nil
	}
	lists := make(map[handover.Loop][]handover.Conn)
	for _, s := range m.serving() {
		for _, c := range s.allAndArriving() {
			l := c.stream.Loop()
			lists[l] = append(lists[l], (*movingConn)(c))
		}
	}
	return lists
}

// Settle waits until the loops have done what was posted to them.
func (p *handoverSource) Settle() { (*Master)(p).settled() }

// Stopping reports whether the master ends.
func (p *handoverSource) Stopping() bool { return (*Master)(p).stopping() }

// Detach takes the connection off its loop.
func (c *movingConn) Detach(dst []byte) (state []byte, fd int, v handover.Verdict) {
	return (*Conn)(c).detach(dst)
}

// Reattach puts it back.
func (c *movingConn) Reattach() { (*Conn)(c).reattach() }

// Release forgets it.
func (c *movingConn) Release() { (*Conn)(c).release() }

// settled waits until the loops have done what was posted to them, but not for one that a
// callback holds.
func (m *Master) settled() {
	late := time.NewTimer(handover.LoopPatience)
	defer late.Stop()
	for _, e := range m.runningLoops() {
		done := make(chan struct{})
		if !e.loop.Post(func() { close(done) }) {
			continue
		}
		select {
		case <-done:
		case <-e.loop.Done():
		case <-late.C:
			return // a callback blocks the loop
		}
	}
}

// handoverKey names the worker between processes: the successor finds its own by it.
func (s *server) handoverKey() string { return cmp.Or(s.worker.key, s.worker.address) }

// handoverServer is the server of that key, nil if there is none.
func (m *Master) handoverServer(key string) *server {
	for _, s := range m.serving() {
		if s.listens && s.handoverKey() == key {
			return s
		}
	}
	return nil
}
