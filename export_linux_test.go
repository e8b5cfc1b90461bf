package workerman

import (
	"net"
	"net/netip"
	"time"

	"github.com/workerman-go/workerman/internal/handover"
	"github.com/workerman-go/workerman/internal/tlsfiles"
)

// What two processes do to hand connections over.

func (m *Master) HandOver(link *net.UnixConn, deadline time.Time, progress func(moved, left int)) error {
	return m.handOver(link, deadline, progress)
}

func (m *Master) Adopt(link *net.UnixConn) error { return m.adopt(link) }

// NextID and SetNextID are about the number of the next connection.
func (m *Master) NextID() uint64      { return m.nextID.Load() }
func (m *Master) SetNextID(id uint64) { m.nextID.Store(id) }

func (c *Conn) Detach(dst []byte) (state []byte, fd int, v handover.Verdict) { return c.detach(dst) }
func (c *Conn) Reattach()                                                    { c.reattach() }
func (c *Conn) Release()                                                     { c.release() }

// Run calls fn as a callback of the connection.
func (c *Conn) Run(fn func()) { c.run(fn) }

// PostToLoop calls fn on the connection's loop, also while Post refuses.
func (c *Conn) PostToLoop(fn func()) { c.stream.Loop().Post(fn) }

// Master is the one that serves the connection.
func (c *Conn) Master() *Master { return c.settings.master }

// Limits are those that hold for the connection.
func (c *Conn) Limits() (maxPackage, maxSend int) { return c.maxPackage(), c.maxSend() }

// PausedByAnswers reports whether the connection reads nothing because too much of its answers
// waits.
func (c *Conn) PausedByAnswers() bool { return c.stream.PausedBy(pausedByAnswers) }

// Everyone lists the connections, those too that are not ready.
func (w *Worker) Everyone() []*Conn { return w.runningServer().allAndArriving() }

// PerIP is the number of connections of an address, and CountsNobody reports whether there is
// none of any.
func (w *Worker) PerIP(ip netip.Addr) int { return int(w.runningServer().perIP[ip]) }
func (w *Worker) CountsNobody() bool      { return len(w.runningServer().perIP) == 0 }

// SetAddress is for workers of two masters that cannot have the same address: both get the key.
func (w *Worker) SetAddress(address, key string) { w.address, w.key = address, key }

// What follows changes a worker that runs, which so differs from that of the other process.

func (w *Worker) SetKey(key string)              { w.key = key }
func (w *Worker) SetRunningName(name string)     { w.runningServer().worker.Name = name }
func (w *Worker) SetSecurity(s *tlsfiles.Server) { w.runningServer().security = s }
func (w *Worker) SpeakHTTP()                     { w.runningServer().kind = httpDialog }
func (w *Worker) TakeID(id uint64)               { w.runningServer().conns[id] = new(Conn) }
func (w *Worker) FreeID(id uint64)               { delete(w.runningServer().conns, id) }
