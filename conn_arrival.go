package workerman

import (
	"fmt"
	"slices"

	"github.com/workerman-go/workerman/internal/loop"
)

// stage is how far a connection has got. It goes through those that its worker wants, in
// this order, and is known to the worker, and announced by OnConnect, when it is through.
type stage uint32

const (
	stageProxy     stage = iota // the PROXY header is to come
	stageTLS                    // in the handshake of TLS
	stageWebSocket              // in the handshake of a websocket:// worker
	stageReady
	stageFailed  // TLS came to nothing
	stageOpening // of a client: before it is established
)

func (c *Conn) ready() bool { return stage(c.stage.Load()) == stageReady }

// arrive begins with the first stage of a new connection.
func (c *Conn) arrive() {
	s := c.svc
	if s.security == nil && s.kind != webSocketDialog && !s.proxyProtocol {
		c.established()
		return
	}
	s.mu.Lock()
	s.arriving[c] = struct{}{}
	s.mu.Unlock()
	c.watchTime()
	if !s.proxyProtocol {
		c.introduced()
	}
}

// introduced goes on when it is known whose connection it is.
func (c *Conn) introduced() {
	if c.svc.security == nil {
		c.secured()
		return
	}
	c.stage.Store(uint32(stageTLS))
	if err := c.stream.StartTLS(c.svc.security.outer, loop.Server); err != nil {
		c.fault(err)
	}
}

// secured goes on when the connection is encrypted, if it has to be.
func (c *Conn) secured() {
	if c.svc.kind == webSocketDialog {
		c.stage.Store(uint32(stageWebSocket))
		return // the first request is the handshake
	}
	c.established()
}

// established announces the connection. It runs on the loop or, in a Blocking worker, on
// the connection's goroutine.
func (c *Conn) established() {
	s := c.svc
	s.mu.Lock()
	delete(s.arriving, c)
	s.conns[c.id] = c
	s.mu.Unlock()
	c.stage.Store(uint32(stageReady))
	if s.kind == webSocketDialog {
		c.greet() // its turn has come: this is a callback
		return
	}
	if h := c.httpConn(); h != nil {
		h.since = c.stream.Loop().Now()
	}
	c.watchTime()
	c.run(c.greet)
}

// greet runs OnConnect.
func (c *Conn) greet() {
	if h, _ := protocolHooks(c.Protocol()); h != nil {
		h.OnConnect(c)
	}
	if fn := c.callbacks().OnConnect; fn != nil {
		fn(c)
	}
}

// watchTime arms the deadline of a connection.
func (c *Conn) watchTime() {
	if next, _ := c.deadline(c.stream.Loop().Now()); next > 0 {
		c.stream.SetDeadline(next)
	}
}

// handshakeDeadline is deadline with HandshakeTimeout; next is that for other reasons.
func (c *Conn) handshakeDeadline(now, next int64) (int64, error) {
	limit := c.svc.limits.HandshakeTimeout
	if limit == 0 {
		if c.ready() {
			return next, nil // nobody demands a first message
		}
		limit = DefaultHandshakeTimeout
	}
	at := int64(c.born+1)*bornUnit + limit.Milliseconds()
	if at <= now {
		return 0, fmt.Errorf("%w: %s within %v", ErrHandshake, stage(c.stage.Load()).missing(), limit)
	}
	if next == 0 || at < next {
		next = at
	}
	return next, nil
}

// missing says what has not happened in a stage.
func (s stage) missing() string {
	switch s {
	case stageProxy:
		return "no PROXY header"
	case stageTLS:
		return "TLS not established"
	case stageWebSocket:
		return "no WebSocket handshake"
	}
	return "no message"
}

// everyone is all with the connections that are still arriving.
func (s *service) everyone() []*Conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*Conn, 0, len(s.conns)+len(s.arriving))
	for _, c := range s.conns {
		list = append(list, c)
	}
	for c := range s.arriving {
		list = append(list, c)
	}
	return list
}

// remove forgets a connection after its OnClose.
func (s *service) remove(c *Conn) {
	if cl := c.Client(); cl != nil {
		cl.left(c)
		return
	}
	s.mu.Lock()
	delete(s.conns, c.id)
	delete(s.arriving, c)
	s.mu.Unlock()
	s.leave(slices.Index(s.loops, c.stream.Loop()), c.countedIP())
}
