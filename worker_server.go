package workerman

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/socket"
	"github.com/workerman-go/workerman/internal/tlsfiles"
)

// server is a running worker: its settings as they were at the start, its listener and its
// connections.
type server struct {
	connSettings // what its connections need

	worker        *Worker
	endpoint      endpoint
	listens       bool // false for a worker without an address
	began         bool // OnWorkerStart was called
	proxyProtocol bool
	security      *tlsfiles.Server // nil without TLS
	loops         []*loop.Loop

	mu        sync.RWMutex // guards what follows
	conns     map[uint64]*Conn
	arriving  map[*Conn]struct{} // not in conns yet: see stage
	perIP     map[netip.Addr]int // nil if nobody counts them
	bound     []*loop.Bound
	acceptors []*acceptor
	udp       []*packetDialog
	address   net.Addr
	socket    os.FileInfo // the file of our Unix socket
	paused    bool

	live     atomic.Int64   // connections
	assigned []atomic.Int64 // connections of each loop
	accepted atomic.Uint64
	refused  atomic.Uint64

	tlsFailures atomic.Uint64
	acceptErr   atomic.Int64 // when a failing accept was last logged, in Unix seconds
}

// prepare checks the worker's settings.
func (w *Worker) prepare() (*server, error) {
	m := w.master
	s := &server{
		connSettings: connSettings{
			master: m, log: m.logger().With("worker", w.name()),
			limits: w.Limits, blocking: w.Blocking, poison: m.PoisonLent,
		},
		worker: w, proxyProtocol: w.ProxyProtocol,
		conns: make(map[uint64]*Conn), arriving: make(map[*Conn]struct{}),
	}
	s.server = s
	if w.Loops < 0 {
		return nil, fmt.Errorf("Loops is %d", w.Loops)
	}
	if err := s.limits.check(); err != nil {
		return nil, err
	}
	for _, t := range dialogTypes {
		if t.prepare == nil {
			continue
		}
		if err := t.prepare(s, w); err != nil {
			return nil, err
		}
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
	for _, t := range dialogTypes {
		if t.check == nil {
			continue
		}
		if err := t.check(s, w); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// wanted is the number of loops that the worker asks for.
func (s *server) wanted() int { return max(s.worker.Loops, 1) }

// open binds the listener and puts it on the loops, not accepting yet.
func (s *server) open() error {
	s.loops = s.master.firstLoops(s.wanted())
	s.assigned = make([]atomic.Int64, len(s.loops))
	s.http.loops = make([]httpLoop, len(s.loops))
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
		a := &acceptor{server: s, loop: l, index: i, bound: s.bound[i%len(s.bound)]}
		s.acceptors = append(s.acceptors, a)
	}
	return nil
}

// ready starts accepting, unless OnWorkerStart paused it, with the callbacks as they
// are now.
func (s *server) ready() {
	s.callbacks = s.worker.Callbacks
	if note := s.advice(); note != "" {
		s.log.Warn("a callback is missing", "note", note)
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

// advice says which callback the worker lacks, or has although it is never called.
func (s *server) advice() string {
	if fn := dialogTypes[s.kind].advice; fn != nil {
		return fn(s)
	}
	return ""
}

func (s *server) boundAddr() net.Addr {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.address
}

// pauseAccept stops and resumes accepting.
func (s *server) pauseAccept(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = on
	for _, a := range s.acceptors {
		a.loop.Post(a.update)
	}
}

func (s *server) isPaused() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.paused
}

// unlisten closes the listener. The sockets close when the last loop has let go.
func (s *server) unlisten() {
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

// freeAddress frees the address at once, even if a callback holds the loop that would have to
// let go of it.
func (s *server) freeAddress() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, b := range s.bound {
		b.Refuse()
	}
}

func (s *server) closeBound() {
	for _, b := range s.bound {
		b.Close()
	}
	s.bound = nil
}

// removeSocketFile removes the file of our Unix socket if nobody replaced it.
func (s *server) removeSocketFile(ours os.FileInfo) {
	if ours == nil {
		return
	}
	path := s.endpoint.addr.Path
	if now, err := os.Lstat(path); err == nil && os.SameFile(now, ours) {
		os.Remove(path)
	}
}

// post runs fn on the worker's first loop.
func (s *server) post(fn func()) bool {
	if len(s.loops) == 0 {
		return false
	}
	return s.loops[0].Post(func() { s.guard(fn) })
}

// socketSource is where the sockets come from that workers listen on.
type socketSource interface {
	// listen returns n sockets for an address, or the cause why not.
	listen(w *Worker, a socket.Address, n int) ([]net.Listener, error)
	listenPackets(w *Worker, a socket.Address, n int) ([]*net.UDPConn, error)
	// ours says that the file of a Unix socket is to be removed at the end.
	ours() bool
}

// source is the master's, or the one that opens them here.
func (m *Master) source() socketSource {
	if m.inherited != nil {
		return m.inherited
	}
	return ownSockets{}
}

// ownSockets opens the sockets of a service that runs in this process.
type ownSockets struct{}

func (ownSockets) ours() bool { return true }

func (ownSockets) listen(w *Worker, a socket.Address, n int) (list []net.Listener, err error) {
	for range n {
		ln, err := socket.Listen(a, socket.Options{ReusePort: w.ReusePort})
		if err != nil {
			for _, ln := range list {
				ln.Close()
			}
			return nil, err
		}
		list = append(list, ln)
		a.Port = socket.AddrPort(ln.Addr()).Port() // the others share a chosen port
	}
	return list, nil
}

func (ownSockets) listenPackets(w *Worker, a socket.Address, n int) (list []*net.UDPConn, err error) {
	for range n {
		pc, err := socket.ListenPacket(a, socket.Options{ReusePort: w.ReusePort})
		if err != nil {
			for _, pc := range list {
				pc.Close()
			}
			return nil, err
		}
		list = append(list, pc)
		a.Port = socket.AddrPort(pc.LocalAddr()).Port()
	}
	return list, nil
}
