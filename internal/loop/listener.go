package loop

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/socket"
)

// Acceptor gets the connections of a listener, on the loop.
type Acceptor interface {
	Accepted(Incoming)
	// AcceptFailed reports an error of the system, as too many open files; the listener
	// tries again a little later by itself.
	AcceptFailed(error)
}

const (
	maxAccepts  = 64 // in one turn
	acceptRetry = 100 * time.Millisecond
)

// temporary says that one connection failed, not the listener.
func temporary(err error) bool {
	return errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.EPROTO)
}

// portListener accepts on a goroutine.
type portListener struct {
	ln       net.Listener
	loop     *Loop
	acceptor Acceptor

	mu     sync.Mutex
	change *sync.Cond
	paused bool
	closed bool
}

func startPortListener(l *Loop, ln net.Listener, a Acceptor) *portListener {
	p := &portListener{ln: ln, loop: l, acceptor: a, paused: true}
	p.change = sync.NewCond(&p.mu)
	go p.run()
	return p
}

// mayAccept waits while the listener is paused; false once it is closed.
func (p *portListener) mayAccept() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.paused && !p.closed {
		p.change.Wait()
	}
	return !p.closed
}

func (p *portListener) run() {
	for p.mayAccept() {
		c, err := p.ln.Accept()
		if err != nil {
			if !p.mayAccept() || errors.Is(err, net.ErrClosed) {
				return
			}
			if !temporary(err) {
				p.loop.Post(func() { p.acceptor.AcceptFailed(err) })
				time.Sleep(acceptRetry)
			}
			continue
		}
		in := Incoming{Remote: socket.AddrPort(c.RemoteAddr()), Unix: c.LocalAddr().Network() == "unix", port: newPortConn(c)}
		if !p.mayAccept() || !p.loop.Post(func() { p.acceptor.Accepted(in) }) {
			c.Close()
		}
	}
}

func (p *portListener) pause(on bool) {
	p.mu.Lock()
	p.paused = on
	p.mu.Unlock()
	p.change.Broadcast()
}

func (p *portListener) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.change.Broadcast()
	p.ln.Close()
}
