package handover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
	"golang.org/x/sys/unix"
)

// newLink is a stream socket between two processes.
func newLink(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	one, other, err := control.StreamPair()
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, f := range []*os.File{one, other} {
		defer f.Close()
		c, err := net.FileConn(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		ends[i] = c.(*net.UnixConn)
	}
	return ends[0], ends[1]
}

// fakeLoop runs functions on one goroutine. Only the goroutine that Send runs on may use it, and
// the test when Send has returned.
type fakeLoop struct {
	posted chan func()
	done   chan struct{}
}

func newLoop(t *testing.T) *fakeLoop {
	posted := make(chan func(), 100)
	l := &fakeLoop{posted, make(chan struct{})}
	go func() {
		defer close(l.done)
		for fn := range posted {
			fn()
		}
	}()
	t.Cleanup(l.end)
	return l
}

// end ends the loop behind what was posted.
func (l *fakeLoop) end() {
	if l.posted != nil {
		close(l.posted)
		l.posted = nil
		<-l.done
	}
}

func (l *fakeLoop) Post(fn func()) bool {
	if l.posted == nil {
		return false
	}
	l.posted <- fn
	return true
}

func (l *fakeLoop) Done() <-chan struct{} { return l.done }

// fakeConn notes what Send does with it. Its verdicts come one after the other, the last one again
// and again.
type fakeConn struct {
	t        *testing.T
	state    State
	verdicts []Verdict
	padding  int // bytes of output

	detached, reattached int
	released             atomic.Int32
	socket               *os.File // whose other end nobody reads
}

func newConn(t *testing.T, id uint64, verdicts ...Verdict) *fakeConn {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return &fakeConn{t: t, state: State{Key: "w", ID: id}, verdicts: verdicts, socket: w}
}

func (c *fakeConn) Detach(dst []byte) (state []byte, fd int, v Verdict) {
	v = MovesNow
	switch {
	case c.released.Load() > 0:
		return dst, -1, MovesNever // it was listed before it was released
	case len(c.verdicts) > 0:
		v = c.verdicts[0]
		if len(c.verdicts) > 1 {
			c.verdicts = c.verdicts[1:]
		}
	}
	if v != MovesNow {
		return dst, -1, v
	}
	if c.detached != c.reattached {
		c.t.Errorf("connection %d is detached twice", c.state.ID)
	}
	c.detached++
	c.state.Output = [][]byte{make([]byte, c.padding)}
	return c.state.Append(dst), int(c.socket.Fd()), v
}

func (c *fakeConn) Reattach() { c.reattached++ }
func (c *fakeConn) Release()  { c.released.Add(1) }

// String tells what has been done with the connection.
func (c *fakeConn) String() string {
	return fmt.Sprintf("connection %d: detached %d, reattached %d, released %d times",
		c.state.ID, c.detached, c.reattached, c.released.Load())
}

// fakeSource is a process with connections.
type fakeSource struct {
	lists    map[*fakeLoop][]*fakeConn
	rounds   int
	settled  int
	stopping bool
}

func (p *fakeSource) Connections() map[Loop][]Conn {
	p.rounds++
	lists := make(map[Loop][]Conn)
	for l, list := range p.lists {
		for _, c := range list {
			if c.released.Load() == 0 {
				lists[l] = append(lists[l], c)
			}
		}
	}
	return lists
}

func (p *fakeSource) Settle() {
	p.settled++
	for l := range p.lists {
		done := make(chan struct{})
		if l.Post(func() { close(done) }) {
			<-done
		}
	}
}

func (p *fakeSource) Stopping() bool { return p.stopping }

// sourceOf is a process with one loop.
func sourceOf(t *testing.T, conns ...*fakeConn) *fakeSource {
	return &fakeSource{lists: map[*fakeLoop][]*fakeConn{newLoop(t): conns}}
}

// endLoops ends the loops, so that a test may look at the connections.
func (p *fakeSource) endLoops() {
	for l := range p.lists {
		l.end()
	}
}

// successor is a process that takes connections over.
type successor struct {
	mu      sync.Mutex
	refuse  uint64 // the id of a connection that it does not take
	adopted []uint64
}

// arrived is a connection of a successor.
type arrived struct {
	process *successor
	id      uint64
}

var errRefused = errors.New("refused by the test")

func (p *successor) restore(s *State) (Incoming, error) {
	if s.ID == p.refuse {
		return nil, errRefused
	}
	return arrived{p, s.ID}, nil
}

func (a arrived) Adopt(fd int) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
		a.process.mu.Lock()
		a.process.adopted = append(a.process.adopted, a.id)
		a.process.mu.Unlock()
	}
	unix.Close(fd)
}

// ids returns what was adopted, in order of the ids.
func (p *successor) ids() []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(slices.Values(p.adopted))
}

// rightsOf is a control message with descriptors, nil without any.
func rightsOf(fds []int) []byte {
	if len(fds) == 0 {
		return nil
	}
	return unix.UnixRights(fds...)
}
