package loop

import (
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/poll"
)

// portable is the engine over package net: goroutines do the blocking calls and report
// readiness here, level-triggered like epoll as far as streams can tell.
type portable struct {
	mu     sync.Mutex
	queue  []poll.Event
	signal chan struct{}
	timer  *time.Timer
}

func newPortable() *portable {
	return &portable{signal: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
}

func (p *portable) push(ev poll.Event) {
	p.mu.Lock()
	p.queue = append(p.queue, ev)
	p.mu.Unlock()
	p.wake()
}

func (p *portable) wake() {
	select {
	case p.signal <- struct{}{}:
	default:
	}
}

func (p *portable) wait(events []poll.Event, timeout int) (int, error) {
	if n := p.take(events); n > 0 || timeout == 0 {
		return n, nil
	}
	var expired <-chan time.Time
	if timeout > 0 {
		p.timer.Reset(time.Duration(timeout) * time.Millisecond)
		expired = p.timer.C
	}
	select {
	case <-p.signal:
	case <-expired:
	}
	return p.take(events), nil
}

func (p *portable) take(events []poll.Event) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := copy(events, p.queue)
	p.queue = p.queue[:copy(p.queue, p.queue[n:])]
	if len(p.queue) > 0 {
		p.wake()
	}
	return n
}

func (p *portable) close() { p.timer.Stop() }

const (
	portReadSize   = 16 << 10
	portWriteLimit = 64 << 10 // like a kernel's send buffer
)

// portConn gives a net.Conn the behaviour of a non-blocking socket: one goroutine
// reads ahead one buffer, another exists while there is something to write.
type portConn struct {
	conn   net.Conn
	engine *portable
	token  poll.Token

	mu       sync.Mutex
	interest poll.Events
	unreadB  []byte // read and not taken yet
	readErr  error
	taken    chan struct{} // the reader may go on
	writeB   []byte
	inFlight int // bytes that the writer holds
	writing  bool
	ending   bool // send the end of stream when all is written
	writeErr error
	closed   bool
}

func newPortConn(c net.Conn) *portConn {
	return &portConn{conn: c, taken: make(chan struct{}, 1), interest: poll.Readable}
}

func (p *portConn) open(s *Stream) {
	p.engine, p.token = s.loop.engine.(*portable), s.token
	go p.readLoop()
}

// report tells the loop about readiness that it wants to know. With p.mu held.
func (p *portConn) report(ev poll.Events) {
	if ev &= p.interest; ev != 0 && !p.closed {
		p.engine.push(poll.Event{Events: ev, Token: p.token})
	}
}

func (p *portConn) readLoop() {
	buf := make([]byte, portReadSize)
	for {
		n, err := p.conn.Read(buf)
		p.mu.Lock()
		p.unreadB, p.readErr = buf[:n], err
		p.report(poll.Readable)
		p.mu.Unlock()
		if err != nil {
			return
		}
		if _, ok := <-p.taken; !ok {
			return
		}
	}
}

func (p *portConn) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.unreadB) == 0 {
		if p.readErr == io.EOF && p.writeErr != nil {
			return 0, p.writeErr // the end of a broken connection, which writing learnt of
		}
		if p.readErr != nil {
			return 0, p.readErr
		}
		return 0, errAgain
	}
	n := copy(b, p.unreadB)
	p.unreadB = p.unreadB[n:]
	switch {
	case len(p.unreadB) > 0 || p.readErr != nil:
		p.report(poll.Readable)
	case !p.closed:
		p.taken <- struct{}{}
	}
	return n, nil
}

func (p *portConn) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writeErr != nil {
		return 0, p.writeErr
	}
	n := min(len(b), portWriteLimit-len(p.writeB)-p.inFlight)
	p.writeB = append(p.writeB, b[:n]...)
	if n > 0 && !p.writing {
		p.writing = true
		go p.writeLoop()
	}
	return n, nil
}

func (p *portConn) writev(pieces [][]byte) (n int, err error) {
	for _, b := range pieces {
		k, err := p.write(b)
		n += k
		if k < len(b) || err != nil {
			return n, err
		}
	}
	return n, nil
}

func (p *portConn) writeLoop() {
	var spare []byte
	p.mu.Lock()
	for len(p.writeB) > 0 && p.writeErr == nil && !p.closed {
		b := p.writeB
		p.writeB, p.inFlight = spare[:0], len(b)
		p.mu.Unlock()
		_, err := p.conn.Write(b)
		p.mu.Lock()
		p.inFlight, p.writeErr, spare = 0, err, b
		p.report(poll.Writable)
		if err != nil {
			p.report(poll.Readable) // reading will show that the peer is gone
		}
	}
	p.writing = false
	ending := p.ending && !p.closed
	p.mu.Unlock()
	if ending {
		p.shutWrite()
	}
}

func (p *portConn) watch(want poll.Events) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.interest = want
	if len(p.unreadB) > 0 || p.readErr != nil {
		p.report(poll.Readable)
	}
	if len(p.writeB)+p.inFlight < portWriteLimit || p.writeErr != nil {
		p.report(poll.Writable)
	}
}

func (p *portConn) closeWrite() {
	p.mu.Lock()
	p.ending = true
	busy := p.writing
	p.mu.Unlock()
	if !busy {
		p.shutWrite()
	}
}

func (p *portConn) shutWrite() {
	if c, ok := p.conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
}

func (p *portConn) unsent() int {
	p.mu.Lock()
	n := len(p.writeB) + p.inFlight
	p.mu.Unlock()
	if c, ok := p.conn.(syscall.Conn); ok {
		n += unsentBytes(c)
	}
	return n
}

// buffers reports whether something waits for the writer.
func (p *portConn) buffers() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.writeB)+p.inFlight > 0 && p.writeErr == nil
}

func (p *portConn) unread() int {
	p.mu.Lock()
	n := len(p.unreadB)
	p.mu.Unlock()
	if c, ok := p.conn.(syscall.Conn); ok {
		n += unreadBytes(c)
	}
	return n
}

func (p *portConn) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readErr != nil && p.readErr != io.EOF {
		return p.readErr
	}
	return p.writeErr
}

// reset makes the coming close of a TCP connection a reset.
func (p *portConn) reset() {
	if c, ok := p.conn.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
}

func (p *portConn) close() {
	p.mu.Lock()
	p.closed = true
	close(p.taken)
	p.mu.Unlock()
	p.conn.Close()
}
