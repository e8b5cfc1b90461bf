package workerman

import (
	"net/netip"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// acceptor is the worker's listener on one loop. Its methods run there.
type acceptor struct {
	server   *server
	loop     *loop.Loop
	index    int
	bound    *loop.Bound
	listener *loop.Listener
	stopped  bool
}

var _ loop.Acceptor = (*acceptor)(nil)

func (a *acceptor) start() {
	if !a.stopped {
		a.listener = a.loop.Listen(a.bound, a)
		a.update()
	}
}

func (a *acceptor) update() {
	if a.listener == nil || a.stopped {
		return
	}
	if a.server.isPaused() {
		a.listener.Pause()
	} else if err := a.listener.Resume(); err != nil {
		a.server.log.Error("cannot accept", "error", err)
	}
}

func (a *acceptor) stop() {
	if a.listener != nil && a.server.worker.ReusePort && !a.server.master.stopping() {
		a.listener.AcceptWaiting() // nobody else would, unless a successor has the same socket
	}
	a.stopped = true
	if a.listener != nil {
		a.listener.Close()
	}
}

// Accepted gives a new connection to a loop, if the limits allow.
func (a *acceptor) Accepted(in loop.Incoming) {
	s := a.server
	ip := in.Remote.Addr()
	if s.proxyProtocol {
		ip = netip.Addr{} // the proxy's; see proxyHeader
	}
	if a.stopped || !s.countIn(ip) {
		in.Discard()
		return
	}
	index := s.leastLoaded(a.index)
	s.assigned[index].Add(1)
	if index == a.index {
		s.connect(index, in)
	} else if !s.loops[index].Post(func() { s.connect(index, in) }) {
		s.countOut(index, ip)
		in.Discard()
	}
}

// acceptLogPause keeps a lasting shortage of descriptors from filling the log.
const acceptLogPause = 5

// AcceptFailed logs that the system has no room for connections.
func (a *acceptor) AcceptFailed(err error) {
	now := time.Now().Unix()
	if last := a.server.acceptErr.Load(); now-last < acceptLogPause || !a.server.acceptErr.CompareAndSwap(last, now) {
		return
	}
	advice := "new clients wait"
	if err == syscall.EMFILE || err == syscall.ENFILE {
		advice = "new clients wait; raise the limit of open files (ulimit -n)"
	}
	a.server.log.Error("cannot accept", "error", err, "note", advice)
}

// loopSlack is how many connections a loop may be ahead before others get the new ones.
const loopSlack = 4

// leastLoaded picks a loop for a new connection: the one that accepted it, unless it has
// clearly more than another.
func (s *server) leastLoaded(own int) int {
	best := own
	least := s.assigned[own].Load() - loopSlack
	for i := range s.assigned {
		if n := s.assigned[i].Load(); n < least {
			best, least = i, n
		}
	}
	return best
}

// connect makes the Conn of an accepted socket, on its loop.
func (s *server) connect(index int, in loop.Incoming) {
	l := s.loops[index]
	c := &Conn{settings: &s.connSettings, id: s.master.nextID.Add(1), opened: int32(l.Now() / openedUnit)}
	c.setRemote(in.Remote)
	if s.blocking {
		c.ensureRare().queue = new(callbackQueue)
	}
	if err := l.Attach(&c.stream, in, (*connOwner)(c), s.limits.LingerTimeout); err != nil {
		s.log.Error("cannot serve a connection", "peer", c.peer(), "error", err)
		s.countOut(index, c.countedIP())
		return
	}
	c.arrive()
	if s.master.stopping() {
		c.closeWithReason(errStopping)
	}
}

// openPackets binds one socket, or with ReusePort one per loop. Without ReusePort one
// loop serves all datagrams, since two loops on one socket would mix up a peer's order.
func (s *server) openPackets() error {
	sockets := 1
	if s.worker.ReusePort {
		sockets = len(s.loops)
	}
	list, err := s.master.source().listenPackets(s.worker, s.endpoint.addr, sockets)
	if err != nil {
		return err
	}
	s.address = list[0].LocalAddr()
	for i, pc := range list {
		p := &packetDialog{settings: &s.connSettings, loop: s.loops[i], socket: pc, young: make(map[netip.AddrPort]*Conn)}
		p.box = p
		s.udp = append(s.udp, p)
	}
	return nil
}
