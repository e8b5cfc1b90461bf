package workerman

import (
	"io"
	"net"
	"os"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/internal/socket"
)

// writeConnections writes a line for each connection of the workers and clients that f
// chooses: see control.Connection. Any goroutine may ask, and nobody waits for a loop.
func (m *Master) writeConnections(w io.Writer, f control.Filter) error {
	if f.PID != 0 && f.PID != os.Getpid() {
		return nil
	}
	l := &lister{out: w, filter: f, elapsed: make(map[*loop.Loop]int64)}
	l.row.PID = os.Getpid()
	for _, s := range m.runningServers() {
		name := s.worker.name()
		if f.Worker != "" && f.Worker != name {
			continue
		}
		l.row.Worker, l.row.Outgoing = name, false
		l.local = s.ownAddress()
		for _, c := range s.allAndArriving() {
			l.list(c)
		}
	}
	l.row.Outgoing, l.local = true, ""
	for _, cl := range m.registered() {
		if c := cl.Conn(); c != nil {
			l.row.Worker = cl.Name
			setDefault(&l.row.Worker, cl.address)
			l.list(c)
		}
	}
	return l.flush()
}

// lister writes rows, with memory that serves for all of them.
type lister struct {
	out     io.Writer
	err     error
	filter  control.Filter
	written int
	row     control.Connection
	buf     []byte
	local   string               // address of the connections' side, "" if it is to be asked for
	elapsed map[*loop.Loop]int64 // what time it is, in milliseconds
}

// listRoom is how many bytes are written at a time.
const listRoom = 64 << 10

// list writes the row of a connection if it is chosen.
func (l *lister) list(c *Conn) {
	if l.err != nil || l.filter.Limit > 0 && l.written >= l.filter.Limit {
		return
	}
	g, ok := c.stream.Glance()
	if g.Closed {
		return
	}
	now := l.now(c.stream.Loop())
	r := &l.row
	r.ID, r.State = c.id, c.stateName(g)
	r.Received, r.Queued, r.BytesIn, r.BytesOut = g.Unconsumed, g.Queued, g.In, g.Out
	r.Age = max(now-int64(c.opened)*openedUnit, 0)
	r.Idle = 0
	if ok {
		r.Idle = max(now-g.LastActive, 0)
	}
	r.Remote = c.peer()
	if !l.filter.Match(r) {
		return
	}
	r.Transport = c.Transport()
	r.Protocol = c.dialog().scheme(c)
	if s := c.settings.server; g.Secure || s != nil && s.security != nil {
		r.Transport = "ssl"
	}
	r.Local = l.local
	if l.local == "" && ok {
		if a := c.LocalAddr(); a.IsValid() {
			r.Local = a.String()
		}
	}
	r.User = c.UID()
	l.buf = r.Append(l.buf)
	l.written++
	if len(l.buf) >= listRoom {
		l.flush()
	}
}

func (l *lister) flush() error {
	if l.err == nil && len(l.buf) > 0 {
		_, l.err = l.out.Write(l.buf)
		l.buf = l.buf[:0]
	}
	return l.err
}

// now is the time of a loop.
func (l *lister) now(of *loop.Loop) int64 {
	now, ok := l.elapsed[of]
	if !ok {
		now = of.Elapsed().Milliseconds()
		l.elapsed[of] = now
	}
	return now
}

// stateName says for people what a connection is at.
func (c *Conn) stateName(g loop.Glance) string {
	switch {
	case !g.Open:
		return "closing"
	case !c.ready():
		return "handshake"
	case g.Paused:
		return "paused"
	}
	return "established"
}

// ownAddress is the address that a worker's connections have on this side; "" if it
// listens on all addresses, so that each connection has its own.
func (s *server) ownAddress() string {
	switch a := s.boundAddr().(type) {
	case *net.UnixAddr:
		return a.Name
	case *net.TCPAddr:
		if !a.IP.IsUnspecified() {
			return socket.AddrPort(a).String()
		}
	}
	return ""
}
