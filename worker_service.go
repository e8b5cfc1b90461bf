package workerman

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/nethttp"
	"github.com/workerman-go/workerman/internal/tlsfiles"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// service is a running worker: its settings as they were at the start, its listener and
// its connections. That of clients has what their connections need, and no reception.
type service struct {
	worker    *Worker // nil for that of clients
	name      string  // of clients, in logs; "" for their addresses
	master    *Master
	protocol  Protocol
	callbacks Callbacks
	limits    Limits
	poison    bool
	log       *slog.Logger
	hub       hub

	webSocket   *websocket.Options
	messageKind websocket.Opcode // of what Send sends on a WebSocket
	ping        time.Duration

	kind     dialogKind
	blocking bool
	security *tlsfiles.Server // nil without TLS
	http     *web.Options
	server   *http.Server // whose Handler serves the requests, nil if callbacks do
	handler  nethttp.Options
	proxies  *web.Proxies

	requests atomic.Uint64
	sendFail atomic.Uint64
	panics   atomic.Uint64

	*reception
}

// reception is where a worker's connections come from and are counted.
type reception struct {
	endpoint endpoint
	listens  bool // false for a worker without an address
	began    bool // OnWorkerStart was called
	loops    []*loop.Loop

	keepAlive time.Duration
	accessLog *slog.Logger

	proxyProtocol bool
	parsed        []web.Request              // the memory for it, of each loop
	dates         []atomic.Pointer[dateLine] // of each loop

	misplacedAnswer atomic.Bool // an answer outside of OnRequest was logged

	mu        sync.RWMutex // guards what follows
	conns     map[uint64]*Conn
	arriving  map[*Conn]struct{} // not in conns yet: see stage
	perIP     map[netip.Addr]int
	bound     []*loop.Bound
	acceptors []*acceptor
	udp       []*packetService
	address   net.Addr
	socket    os.FileInfo // of a Unix socket: which file is ours
	paused    bool

	live     atomic.Int64
	assigned []atomic.Int64 // connections of each loop
	accepted atomic.Uint64
	refusedN atomic.Uint64

	tlsFailures atomic.Uint64
	acceptErr   atomic.Int64 // when a failing accept was last logged, in Unix seconds
}

// prepare checks the worker's settings.
func (w *Worker) prepare() (*service, error) {
	m := w.master
	s := &service{worker: w, master: m, limits: w.Limits, blocking: w.Blocking, poison: m.PoisonLent}
	s.reception = &reception{conns: make(map[uint64]*Conn), arriving: make(map[*Conn]struct{})}
	s.proxyProtocol = w.ProxyProtocol
	s.log = m.logger().With("worker", w.name())
	if w.Loops < 0 {
		return nil, fmt.Errorf("Loops is %d", w.Loops)
	}
	if err := s.limits.check(); err != nil {
		return nil, err
	}
	if err := s.prepareDialogs(w); err != nil {
		return nil, err
	}
	if s.limits.MaxConnectionsPerIP > 0 {
		s.perIP = make(map[netip.Addr]int)
	}
	if w.address != "" {
		e, err := parseAddress(w.address, w.Transport)
		if err != nil {
			return nil, err
		}
		s.endpoint, s.listens, s.protocol, s.kind = e, true, e.protocol, e.dialog
	}
	if s.endpoint.secure || w.TLS.used() {
		if s.endpoint.addr.Network == "udp" || !s.listens {
			return nil, errors.New("TLS needs an address with a stream, as ssl://0.0.0.0:443")
		}
		var err error
		if s.security, err = w.TLS.newServer(w.name(), s.endpoint.scheme, m, s.log); err != nil {
			return nil, err
		}
	}
	if w.Protocol != nil {
		s.protocol, s.kind = w.Protocol, noDialog
	}
	if err := s.checkHandler(w); err != nil {
		return nil, err
	}
	return s, nil
}

// wanted is the number of loops that the worker asks for.
func (s *service) wanted() int { return max(s.worker.Loops, 1) }

// open binds the listener and puts it on the loops, not accepting yet.
func (s *service) open() error {
	s.loops = s.master.firstLoops(s.wanted())
	s.assigned = make([]atomic.Int64, len(s.loops))
	s.parsed = make([]web.Request, len(s.loops))
	s.dates = make([]atomic.Pointer[dateLine], len(s.loops))
	if !s.listens {
		return nil
	}
	if s.endpoint.addr.Network == "udp" {
		return s.openPackets()
	}
	sockets := 1
	addr := s.endpoint.addr
	if s.worker.ReusePort && addr.Network == "tcp" {
		sockets = len(s.loops)
	}
	list, err := s.master.source().listen(s.worker, addr, sockets)
	if err != nil {
		return err
	}
	s.address = list[0].Addr()
	for i, ln := range list {
		b, err := loop.Bind(ln, s.master.engine())
		if err != nil {
			for _, ln := range list[i:] {
				ln.Close()
			}
			s.closeBound()
			return err
		}
		s.bound = append(s.bound, b)
	}
	if addr.Network == "unix" && s.master.source().ours() {
		s.socket, _ = os.Lstat(addr.Path)
	}
	for i, l := range s.loops {
		a := &acceptor{svc: s, loop: l, index: i, bound: s.bound[i%len(s.bound)]}
		s.acceptors = append(s.acceptors, a)
	}
	return nil
}

// ready starts accepting, unless OnWorkerStart paused it, with the callbacks as they
// are now.
func (s *service) ready() {
	s.callbacks = s.worker.Callbacks
	if advice := s.forgotten(); advice != "" {
		s.log.Warn("a callback is missing", "note", advice)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.acceptors {
		a.loop.Post(a.start)
	}
	for _, p := range s.udp {
		p.loop.Post(p.start)
	}
}

func (s *service) boundAddr() net.Addr {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.address
}

// pauseAccept stops and resumes accepting.
func (s *service) pauseAccept(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = on
	for _, a := range s.acceptors {
		a.loop.Post(a.update)
	}
}

func (s *service) isPaused() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.paused
}

// unlisten closes the listener. The sockets close when the last loop has let go.
func (s *service) unlisten() {
	s.mu.Lock()
	acceptors, udp := s.acceptors, s.udp
	s.acceptors, s.udp, s.address = nil, nil, nil
	bound, file := s.bound, s.socket
	s.bound, s.socket = nil, nil
	s.mu.Unlock()
	for _, p := range udp {
		p.loop.Post(p.close)
	}
	left := new(atomic.Int32)
	left.Store(int32(len(acceptors)))
	for _, a := range acceptors {
		a.loop.Post(func() {
			a.stop()
			if left.Add(-1) == 0 {
				for _, b := range bound {
					b.Close()
				}
			}
		})
	}
	s.removeSocketFile(file)
}

// refuse frees the addresses at once, even if a callback holds the loop that would have to
// let go of them.
func (s *service) refuse() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, b := range s.bound {
		b.Refuse()
	}
}

func (s *service) closeBound() {
	for _, b := range s.bound {
		b.Close()
	}
	s.bound = nil
}

// removeSocketFile removes the file of our Unix socket if nobody replaced it.
func (s *service) removeSocketFile(ours os.FileInfo) {
	if ours == nil {
		return
	}
	path := s.endpoint.addr.Path
	if now, err := os.Lstat(path); err == nil && os.SameFile(now, ours) {
		os.Remove(path)
	}
}

// acceptor is the worker's listener on one loop. Its methods run there.
type acceptor struct {
	svc      *service
	loop     *loop.Loop
	index    int
	bound    *loop.Bound
	listener *loop.Listener
	stopped  bool
}

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
	if a.svc.isPaused() {
		a.listener.Pause()
	} else if err := a.listener.Resume(); err != nil {
		a.svc.log.Error("cannot accept", "error", err)
	}
}

func (a *acceptor) stop() {
	if a.listener != nil && a.svc.worker.ReusePort && !a.svc.master.stopping() {
		a.listener.AcceptWaiting() // nobody else would, unless a successor has the same socket
	}
	a.stopped = true
	if a.listener != nil {
		a.listener.Close()
	}
}

// Accepted gives a new connection to a loop, if the limits allow.
func (a *acceptor) Accepted(in loop.Incoming) {
	s := a.svc
	ip := in.Remote.Addr()
	if s.proxyProtocol {
		ip = netip.Addr{} // the proxy's; see proxyHeader
	}
	if a.stopped || !s.admit(ip) {
		in.Discard()
		return
	}
	index := s.leastLoaded(a.index)
	s.assigned[index].Add(1)
	if index == a.index {
		s.connect(index, in)
	} else if !s.loops[index].Post(func() { s.connect(index, in) }) {
		s.leave(index, ip)
		in.Discard()
	}
}

// acceptLogPause keeps a lasting shortage of descriptors from filling the log.
const acceptLogPause = 5

// AcceptFailed logs that the system has no room for connections.
func (a *acceptor) AcceptFailed(err error) {
	now := time.Now().Unix()
	if last := a.svc.acceptErr.Load(); now-last < acceptLogPause || !a.svc.acceptErr.CompareAndSwap(last, now) {
		return
	}
	advice := "new clients wait"
	if err == syscall.EMFILE || err == syscall.ENFILE {
		advice = "new clients wait; raise the limit of open files (ulimit -n)"
	}
	a.svc.log.Error("cannot accept", "error", err, "note", advice)
}

// loopSlack is how many connections a loop may be ahead before others get the new ones.
const loopSlack = 4

// leastLoaded picks a loop for a new connection: the one that accepted it, unless it has
// clearly more than another.
func (s *service) leastLoaded(own int) int {
	best := own
	least := s.assigned[own].Load() - loopSlack
	for i := range s.assigned {
		if n := s.assigned[i].Load(); n < least {
			best, least = i, n
		}
	}
	return best
}

// admit counts a connection in if the limits allow it.
func (s *service) admit(ip netip.Addr) bool {
	n := s.live.Add(1)
	if limit := s.limits.MaxConnections; limit > 0 && n > int64(limit) || !s.admitIP(ip) {
		s.live.Add(-1)
		s.refusedN.Add(1)
		return false
	}
	s.accepted.Add(1)
	return true
}

func (s *service) admitIP(ip netip.Addr) bool {
	if s.perIP == nil || !ip.IsValid() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perIP[ip] >= s.limits.MaxConnectionsPerIP {
		return false
	}
	s.perIP[ip]++
	return true
}

// leave counts a connection out.
func (s *service) leave(index int, ip netip.Addr) {
	s.assigned[index].Add(-1)
	s.leaveIP(ip)
	s.live.Add(-1)
	s.master.connectionGone()
}

func (s *service) leaveIP(ip netip.Addr) {
	if s.perIP == nil || !ip.IsValid() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perIP[ip]--; s.perIP[ip] == 0 {
		delete(s.perIP, ip)
	}
}

// connect makes the Conn of an accepted socket, on its loop.
func (s *service) connect(index int, in loop.Incoming) {
	l := s.loops[index]
	c := &Conn{svc: s, id: s.master.nextID.Add(1), born: int32(l.Now() / bornUnit)}
	c.setRemote(in.Remote)
	if s.blocking {
		c.ensureRare().serial = new(serial)
	}
	if err := l.Attach(&c.stream, in, (*connOwner)(c), s.limits.LingerTimeout); err != nil {
		s.log.Error("cannot serve a connection", "peer", c.peer(), "error", err)
		s.leave(index, c.countedIP())
		return
	}
	c.arrive()
	if s.master.stopping() {
		c.closeFor(errStopping)
	}
}

// all is a copy of the connections.
func (s *service) all() []*Conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*Conn, 0, len(s.conns))
	for _, c := range s.conns {
		list = append(list, c)
	}
	return list
}

func (s *service) find(id uint64) *Conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.conns[id]
}

// post runs fn on the worker's first loop.
func (s *service) post(fn func()) bool {
	if len(s.loops) == 0 {
		return false
	}
	return s.loops[0].Post(func() { s.guard(fn) })
}

// guard runs a user's function that belongs to no connection.
func (s *service) guard(fn func()) {
	defer func() {
		if v := recover(); v != nil {
			s.reportPanic(nil, newPanicError(v))
		}
	}()
	fn()
}

// guardErr runs a user's function and returns its error. A panic is reported, and returned as a
// *PanicError. c is the connection that fn belongs to, nil for none.
func (s *service) guardErr(c *Conn, fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			panicked := newPanicError(v)
			s.reportPanic(c, panicked)
			err = panicked
		}
	}()
	return fn()
}

// reportPanic logs and counts a panic; c is nil outside connections.
func (s *service) reportPanic(c *Conn, err *PanicError) {
	s.panics.Add(1)
	peer, log := "", s.log
	if c != nil {
		peer, log = c.peer(), c.logger()
	}
	s.master.reportPanic(log, peer, err)
}

func (s *service) stats() WorkerStats {
	return WorkerStats{
		Connections: int(s.live.Load()), Accepted: s.accepted.Load(), Refused: s.refusedN.Load(),
		Requests: s.requests.Load(), SendFail: s.sendFail.Load(), Panics: s.panics.Load(),
		TLSFailures: s.tlsFailures.Load(),
	}
}
