package workerman

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/poll"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// adopt takes the connections that handOver gives on the other end of link, and serves them
// from then on. It returns nil when the other side is through, or an error of the link; what
// came before that is on its loop by then. adopt closes link.
//
// MaxConnections and MaxConnectionsPerIP refuse none of them, but they count.
func (m *Master) adopt(link *net.UnixConn) error {
	defer link.Close()
	defer m.settled()
	for {
		fds, states, err := readOffer(link)
		if err != nil {
			discard(fds)
			if err == errEnd {
				return nil
			}
			return err
		}
		answer := append(make([]byte, 0, 1+len(states)), linkAnswer)
		var taken []*adoption
		for i, state := range states {
			a, err := m.consider(state, i < len(fds))
			if err != nil {
				m.logger().Warn("connection stays with the old process", "reason", err.Error())
				answer = append(answer, passengerRefused)
				continue
			}
			a.fd, fds[i] = fds[i], -1
			answer = append(answer, passengerTaken)
			taken = append(taken, a)
		}
		discard(fds)
		if _, err := link.Write(answer); err != nil {
			for _, a := range taken {
				poll.Close(a.fd)
			}
			return fmt.Errorf("hand-over: %w", err)
		}
		for _, a := range taken {
			a.welcome()
		}
	}
}

// discard closes descriptors that nobody took.
func discard(fds []int) {
	for _, fd := range fds {
		if fd >= 0 {
			poll.Close(fd)
		}
	}
}

// adoption is a connection that comes from another process, before it is on a loop.
type adoption struct {
	conn *Conn
	from *passenger
	fd   int
}

// consider makes the Conn of a state, or says why it cannot.
func (m *Master) consider(state []byte, hasSocket bool) (*adoption, error) {
	if !hasSocket {
		return nil, errors.New("no descriptor came with it: the limit of open files (ulimit -n) is too low")
	}
	p, err := readPassenger(state)
	if err != nil {
		return nil, err
	}
	s := m.handoverService(p.key)
	switch {
	case s == nil:
		return nil, fmt.Errorf("no worker for %q", p.key)
	case s.security != nil:
		return nil, fmt.Errorf("worker %q has TLS now", s.worker.name())
	case m.stopping():
		return nil, errStopping
	case s.find(p.id) != nil:
		return nil, fmt.Errorf("another connection has the id %d", p.id)
	}
	c := &Conn{svc: s, id: p.id, received: p.received}
	c.setRemote(p.remote)
	c.enter(stageReady)
	x := c.ensureRare()
	x.limits.maxPackage.Store(p.maxPackage)
	x.limits.maxSend.Store(p.maxSend)
	if p.client.IsValid() {
		x.client.Store(&p.client)
	}
	if s.blocking {
		x.serial = new(serial)
	}
	return &adoption{conn: c, from: p}, c.restore(p)
}

// restore sets what the connection speaks.
func (c *Conn) restore(p *passenger) (err error) {
	s := c.svc
	switch {
	case p.speaks == speaksHTTP && s.kind == httpDialog:
		h := &httpConn{phase: p.phase, arrived: p.arrived}
		h.parser, err = web.RestoreParser(s.http, p.state)
		c.speak(h)
	case p.speaks == speaksWebSocket && s.kind != noDialog:
		w := &wsConn{subprotocol: p.subprotocol}
		w.codec, err = websocket.RestoreCodec(c.webSocketOptions(), p.state)
		c.speak(w)
	case p.speaks == speaksProtocol && (p.own || s.kind == noDialog):
		if p.stateful && !p.own {
			err = c.restoreProtocol(p.state)
		}
	default:
		err = fmt.Errorf("worker %q speaks another protocol now", s.worker.name())
	}
	return err
}

// restoreProtocol gives a Protocol the state that it had in the old process.
func (c *Conn) restoreProtocol(state []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			panicked := newPanicError(v)
			c.svc.reportPanic(c, panicked)
			err = panicked
		}
	}()
	p, ok := c.Protocol().(StateMover)
	if !ok {
		return fmt.Errorf("the protocol %T of the new process is no StateMover", c.Protocol())
	}
	if err = p.RestoreState(c, state); err != nil {
		err = fmt.Errorf("RestoreState: %w", err)
	}
	return err
}

// welcome counts the connection in and puts it on a loop.
func (a *adoption) welcome() {
	c, s := a.conn, a.conn.svc
	s.live.Add(1)
	s.countIP(c.countedIP())
	index := fewest(s.assigned)
	s.assigned[index].Add(1)
	l := s.loops[index]
	if !l.Post(func() { a.begin(l) }) {
		s.leave(index, c.countedIP())
		poll.Close(a.fd)
	}
}

// fewest is the loop with the fewest connections.
func fewest(assigned []atomic.Int64) (index int) {
	for i := range assigned {
		if assigned[i].Load() < assigned[index].Load() {
			index = i
		}
	}
	return index
}

// begin goes on with the connection on its loop.
func (a *adoption) begin(l *loop.Loop) {
	c, p, s := a.conn, a.from, a.conn.svc
	now := l.Now()
	c.born = int32((now - p.age) / bornUnit)
	d := loop.Detached{
		FD: a.fd, Input: p.input, Output: [][]byte{p.output},
		BytesIn: p.bytesIn, BytesOut: p.bytesOut, Sends: p.sends, Idle: p.idle,
	}
	if p.paused {
		d.Pauses |= pausedByUser
	}
	if p.full && len(p.output) > 0 {
		d.Pauses |= pausedByAnswers // until the output is written
	}
	if h := c.httpConn(); h != nil {
		h.since = now - p.since
	}
	if w := c.wsConn(); w != nil {
		w.pinged = now - p.idle + p.pinged
	}
	l.Adopt(&c.stream, d, (*connOwner)(c), s.limits.LingerTimeout, pausedByAdopt)
	s.mu.Lock()
	s.conns[c.id] = c
	s.mu.Unlock()
	for _, group := range p.groups {
		c.Join(group)
	}
	c.Bind(p.uid)
	a.from = nil // its memory goes with the callback
	c.run(func() { c.adopted(p) })
	c.watchTime()
	if s.master.stopping() {
		c.closeFor(errStopping)
	}
}

// adopted is the first callback of the connection, behind which reading goes on.
func (c *Conn) adopted(p *passenger) {
	if fn := c.svc.worker.OnAdopt; fn != nil {
		var data []byte
		if p.handed {
			data = p.data
		}
		fn(c, data)
	}
	if p.own && p.stateful {
		if err := c.restoreProtocol(p.state); err != nil {
			c.fault(err)
			return
		}
	}
	c.stream.Continue(pausedByAdopt)
}

// countIP counts a connection for its client without asking for the limit.
func (s *service) countIP(ip netip.Addr) {
	if s.perIP == nil || !ip.IsValid() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.perIP[ip]++
}
