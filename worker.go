package workerman

import (
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// Worker is one service. Make it with NewWorker, and set its fields before it starts; they are
// copied then. A Worker that NewWorker did not make is not known to any Master: it has no
// address, no connections, and its Listen is an error.
type Worker struct {
	// Name appears in logs and in the banner. Default "none".
	Name string
	// Transport is "tcp", "udp", "unix" or "ssl" (TLS over TCP) for an address whose scheme is a
	// protocol, as in text://. Default tcp. The address may say it itself, as in
	// text+unix:///run/x.sock.
	Transport string
	// Protocol replaces the protocol of the address's scheme.
	Protocol Protocol
	// Count is the number of processes that serve the worker under RunAll, at least 1, the
	// default. They share the address and nothing else. It may change with a reload. Run serves
	// in its own process.
	Count int
	// Inside serves the worker in the processes of another one, beside it: the two share all
	// variables, and the loops. Count, User and what else concerns processes are then the
	// other's. Default nil: processes of its own. Run serves all in its one process.
	Inside *Worker
	// User is the user that the processes run as, "NAME" or "NAME:GROUP", which only root may
	// say. Default: that of the master. The group is by default the user's, with its others.
	User string
	// Reloadable says that a reload replaces the processes. NewWorker sets it, so true is the
	// default of every worker that can start. Set to false, the processes only get
	// OnWorkerReload, and go on with their old code and their connections.
	Reloadable bool
	// Recycle replaces a process that has done or grown enough, as a reload would.
	Recycle Recycle
	// Handover says which connections a reload moves to the new process. Default
	// HandoverSafe.
	Handover Handover
	// Loops is the number of event loops of a process that serve the worker, at least 1, the default.
	// Workers of one process, as by Inside or under Run, share loops: with 1 everywhere all
	// callbacks of the process are serial.
	Loops int
	// ReusePort opens one socket for each loop of each process with SO_REUSEPORT, so that the
	// kernel spreads connections (and UDP peers) evenly; other programs may then listen beside
	// it. A change of it needs a restart.
	ReusePort bool
	// Blocking runs each connection's callbacks on a goroutine, in order, so that they may
	// block. Reading pauses while 16 messages or 256 KiB wait for a connection's callback.
	Blocking bool

	// HTTP are the settings of an http:// worker. Where MaxBody is 0 it is MaxPackageSize. The
	// time between requests is bounded by IdleTimeout, 75 s by default.
	HTTP web.Options
	// WebSocket are the settings of the WebSockets of a websocket:// or http:// worker. Where
	// MaxMessageSize is 0 it is MaxPackageSize.
	WebSocket websocket.Options
	// PingInterval is how long a WebSocket may be silent before it is pinged; one that is
	// silent for that long again is dead and closed. Default 50 s; below 0 never.
	PingInterval time.Duration
	// TrustedProxies are the reverse proxies in front of an http:// or websocket:// worker, whose
	// word about the client ClientIP takes. Default none.
	TrustedProxies web.Proxies
	// ProxyProtocol expects the header of the PROXY protocol, version 1 or 2, at the
	// beginning of each connection, before TLS: RemoteAddr is the client's then. Whoever can
	// connect can claim any address by it, so only the proxy may be able to.
	ProxyProtocol bool
	// AccessLog gets a line for each answered request, with peer, method, target, status, bytes,
	// took and agent; the status is 499 if the client left before its answer was complete.
	// Default none.
	AccessLog *slog.Logger
	// TLS encrypts the connections. The schemes ssl (or tls), https and wss ask for it, as
	// does Transport "ssl"; with any other stream it is enough to set it.
	TLS ServerTLS

	Limits
	Callbacks

	// OnWorkerStart is called once in each process, on the worker's first loop, before
	// the first connection is accepted (clients wait meanwhile). It may block. An error
	// stops the start, or a reload, and ends a replacement of a process that has died, which
	// is tried again. Callbacks may be set in it. It is the place to open databases.
	OnWorkerStart func(w *Worker) error
	// OnWorkerStop is called when the process stops in good order, before its connections
	// are closed, on the worker's first loop; of a process that was replaced by a reload when
	// its connections have moved or drained.
	OnWorkerStop func(w *Worker)
	// OnWorkerReload is called at a reload, on the worker's first loop, before the process
	// gives its connections to its successor; without Reloadable it is all that happens.
	OnWorkerReload func(w *Worker)
	// OnHandover is called for a connection that moves to another process, on its loop, as
	// its last callback here. What it returns is given to OnAdopt there. With an error the
	// connection stays, and ends with this process. It also goes on here if the other process
	// does not take it, so OnHandover should tell and change nothing.
	OnHandover func(c *Conn) ([]byte, error)
	// OnAdopt is called for a connection that has come from another process, on its loop,
	// as its first callback here and instead of OnConnect. Groups and the user bound to it
	// are known again; Data, timers and callbacks of its own are to be set again from data,
	// nil without OnHandover.
	OnAdopt func(c *Conn, data []byte)

	address string
	handler http.Handler
	master  *Master
	server  *server
	key     string // names the worker between processes; "": its address does
}

// Recycle says when a process has served long enough. Zero values mean never.
type Recycle struct {
	Requests uint64        // messages received
	Memory   int64         // resident bytes
	Age      time.Duration // since it became ready; some percent are added by chance, so that not all end together
}

// Handover says which connections move to the new process at a reload. Only those can that
// are not encrypted, through their handshakes, and not in the middle of an answer; what
// cannot move ends kindly with its old process.
type Handover int

const (
	// HandoverSafe moves connections of which the program evidently remembers nothing that
	// would be lost: the worker has OnAdopt, or it has neither OnConnect nor OnClose and the
	// connection has no Data, no timers, and no callbacks or protocol of its own.
	HandoverSafe Handover = iota
	// HandoverAlways moves all that can be moved.
	HandoverAlways
	// HandoverNever moves none.
	HandoverNever
)

// NewWorker makes a worker of the default Master: in main, so that master and processes know
// it, before RunAll or Run. One that is made later needs Listen. The address is SCHEME://HOST:PORT or
// SCHEME:///PATH: tcp, udp, unix and ssl (TLS over TCP) for bytes as they come; http, https,
// websocket (or ws) and wss; text, frame or a registered protocol for messages; "" for a
// worker without connections, which runs timers. SCHEME+TRANSPORT says both, as text+unix or
// frame+ssl. Mistakes in the address are reported when the worker starts.
func NewWorker(address string) *Worker { return defaultMaster.NewWorker(address) }

// NewWorker makes a worker of this master.
func (m *Master) NewWorker(address string) *Worker {
	w := &Worker{Reloadable: true, address: address, master: m}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.workers = append(m.workers, w)
	return w
}

// Address is what NewWorker was given.
func (w *Worker) Address() string { return w.address }

// Addr is the address that the worker is bound to, with the port that the system chose
// for port 0; nil while it does not listen.
func (w *Worker) Addr() net.Addr {
	return w.runningServer().boundAddr()
}

// owner is the master that made the worker, the default one for a worker that nobody made.
func (w *Worker) owner() *Master {
	if w.master == nil {
		return defaultMaster
	}
	return w.master
}

// runningServer is what runs the worker, an empty one before the start.
func (w *Worker) runningServer() *server {
	m := w.owner()
	m.mu.Lock()
	defer m.mu.Unlock()
	if w.server == nil {
		return notStarted
	}
	return w.server
}

// notStarted stands for the server of workers that have none yet: no connections.
var notStarted = new(server)

// name is Name or its default.
func (w *Worker) name() string {
	if w.Name == "" {
		return "none"
	}
	return w.Name
}

// Listen starts a worker that was made after its master started, typically in
// OnWorkerStart: one process then serves several ports with shared variables, as with
// Inside. Its OnWorkerStart is not called. Under RunAll the master opens the address, which
// the processes of the worker share. It returns a *StartError, or ErrNotRunning.
func (w *Worker) Listen() error {
	if w.master == nil {
		return w.startError(errors.New("made without NewWorker: it has no address"))
	}
	if !w.master.running() {
		return w.startError(fmt.Errorf("%w: Listen is for workers made in OnWorkerStart; the others start with Run", ErrNotRunning))
	}
	if w.runningServer() != notStarted {
		return w.startError(errors.New("it listens already"))
	}
	s, err := w.prepare()
	if err == nil {
		err = s.open()
	}
	if err != nil {
		return w.startError(err)
	}
	s.began = true
	w.master.started(s)
	s.ready()
	return nil
}

func (w *Worker) startError(err error) error {
	return &StartError{Worker: w.name(), Address: w.describe(), Err: err}
}

// describe is the address for people.
func (w *Worker) describe() string {
	if w.address == "" {
		return "none"
	}
	return w.address
}

// Unlisten closes the listener; connections go on. Under RunAll the master keeps the socket
// for other processes and for successors: clients wait if nobody takes them.
func (w *Worker) Unlisten() { w.runningServer().unlisten() }

// PauseAccept stops accepting; clients wait in the system's queue. Called in
// OnWorkerStart it holds until ResumeAccept.
func (w *Worker) PauseAccept() { w.runningServer().pauseAccept(true) }

// ResumeAccept undoes PauseAccept.
func (w *Worker) ResumeAccept() { w.runningServer().pauseAccept(false) }

// Connections iterates over the connections of this process at the time of the call, in no
// order.
func (w *Worker) Connections() iter.Seq[*Conn] { return slices.Values(w.runningServer().all()) }

// Connection returns the connection of this process with that ID, nil if there is none.
func (w *Worker) Connection(id uint64) *Conn { return w.runningServer().find(id) }

// Post runs fn on the worker's first loop, false if that has stopped.
func (w *Worker) Post(fn func()) bool { return w.runningServer().post(fn) }

// WorkerStats are the counters of a worker in this process.
type WorkerStats struct {
	Connections int    // open now
	Accepted    uint64 // since the start
	Refused     uint64 // closed at accept by MaxConnections or MaxConnectionsPerIP
	Requests    uint64 // messages, datagrams and requests of HTTP received
	// SendFail counts messages refused because the send buffer was full, and datagrams that the
	// system did not take. A Send after the close is not counted.
	SendFail    uint64
	Panics      uint64 // in callbacks, and in timers of connections
	TLSFailures uint64 // handshakes of TLS that were begun and failed
}

// Stats returns the worker's counters. The command status has those of all processes.
func (w *Worker) Stats() WorkerStats { return w.runningServer().stats() }

// ID is the number of the process among those of the worker, from 0 to Count-1. The
// successor of a process has the same one. Under Run it is 0.
func (w *Worker) ID() int { return w.owner().slot }
