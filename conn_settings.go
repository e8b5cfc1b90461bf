package workerman

import (
	"log/slog"
	"sync/atomic"
)

// connSettings is what a connection needs of the worker that has accepted it, or of the client
// that has opened it. Nothing but the counters and the groups changes while connections use it.
type connSettings struct {
	server    *server // the running worker; nil for a client's connections
	name      string  // a client's name in logs; "" for its address
	master    *Master
	log       *slog.Logger
	protocol  Protocol
	kind      dialogKind // what a worker's connections begin with
	callbacks Callbacks
	limits    Limits
	blocking  bool
	poison    bool // overwrite what was lent

	http      *httpSettings      // nil for clients
	webSocket *webSocketSettings // nil for clients that speak something else

	hub hub

	requests atomic.Uint64
	sendFail atomic.Uint64
	panics   atomic.Uint64
}

// guard runs a user's function that belongs to no connection.
func (s *connSettings) guard(fn func()) {
	defer func() {
		if v := recover(); v != nil {
			s.reportPanic(nil, newPanicError(v))
		}
	}()
	fn()
}

// guardErr runs a user's function and returns its error. A panic is reported, and returned as a
// *PanicError. c is the connection that fn belongs to, nil for none.
func (s *connSettings) guardErr(c *Conn, fn func() error) (err error) {
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
func (s *connSettings) reportPanic(c *Conn, err *PanicError) {
	s.panics.Add(1)
	peer, log := "", s.log
	if c != nil {
		peer, log = c.peer(), c.logger()
	}
	s.master.reportPanic(log, peer, err)
}
