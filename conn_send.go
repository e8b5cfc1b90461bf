package workerman

import (
	"fmt"

	"github.com/workerman-go/workerman/internal/loop"
)

// largeMessage is from where on a message is written at once instead of collected.
const largeMessage = 16 << 10

// notices that wait for the loop.
const (
	noticeFull = 1 << iota
	noticeRefused
)

// Send sends data as one message of the connection's protocol. It never blocks: nil
// means that the whole message is accepted and will be written in order; ErrClosed and
// ErrBufferFull mean that nothing of it was. Acceptance is no receipt by the peer. data
// may be used again when Send returns.
//
// What is sent in a callback of the connection leaves in one write after the callback;
// what is sent from elsewhere leaves at once or with the loop's current turn.
//
// With UDP data is one datagram; more than 65507 bytes are ErrTooLarge, and a datagram
// that the system does not take at once is lost.
//
// On a connection of HTTP it answers the request whose OnRequest or OnBody runs with data as
// a page; elsewhere it is refused, as Respond is. On a WebSocket the message is text, or binary
// if WebSocket.Binary says so.
func (c *Conn) Send(data []byte) error {
	return c.dialog().send(c, data)
}

// SendRaw sends bytes as they are, without the protocol's framing.
func (c *Conn) SendRaw(data []byte) error {
	if p := c.packets(); p != nil {
		return p.transmit(c, nil, data)
	}
	return c.send(nil, data)
}

func (c *Conn) send(p Protocol, data []byte) error {
	tx, err := c.begin()
	if err != nil {
		return err
	}
	if err := tx.enqueue(p, data); err != nil {
		tx.Abort()
		return err
	}
	tx.Commit()
	return nil
}

// CloseWith sends data as the last message and closes. The message is accepted even
// if the send buffer is full. On a connection of HTTP it is an answer, as that of Send;
// ErrNoRequest means that it was refused, and that the connection closes without it.
func (c *Conn) CloseWith(data []byte) error {
	c.noteClosedByProgram()
	d := c.dialog()
	switch d.(type) {
	case messages, *packetDialog:
		if data == nil {
			data = []byte{} // which is a message, too
		}
	}
	return d.shutDown(c, data, nil)
}

// Close closes the connection once everything that Send accepted has been taken by the
// peer, or when the peer has taken nothing for LingerTimeout. Sends are refused from now
// on and no OnMessage follows. Further calls do nothing; a worker's peer over UDP has nothing
// to close.
//
// A WebSocket's peer gets a close frame with the code 1000: see CloseWithCode. A request of
// HTTP that was not answered gets no answer. A Client does not connect again by itself.
func (c *Conn) Close() {
	c.noteClosedByProgram()
	c.close()
}

// close is Close for reasons that are not the program's.
func (c *Conn) close() { c.dialog().shutDown(c, nil, nil) }

// Destroy closes the connection at once and drops what was not written yet.
func (c *Conn) Destroy() {
	c.noteClosedByProgram()
	if p := c.packets(); p != nil {
		p.hangUp(c)
		return
	}
	c.stream.Destroy(loop.ErrDestroyed)
}

// fanout sends one message to many connections: encoded once, shared by reference, and
// every loop woken once.
type fanout struct {
	data   []byte
	shared []byte           // encoded; nil if the protocol must encode for each
	framed [dialogKinds]any // what a dialog has made of data once for all its connections
	loops  []*loop.Loop
	sent   int
}

func (s *connSettings) newFanout(data []byte) (*fanout, error) {
	f := &fanout{data: data}
	switch p := s.protocol.(type) {
	case nil:
		if s.kind != noDialog {
			break
		}
		f.shared = append(make([]byte, 0, len(data)), data...)
	case SharedEncoder:
		var err error
		if f.shared, err = p.EncodeShared(make([]byte, 0, len(data)+16), data); err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
	}
	return f, nil
}

// send sends the message to one connection.
func (f *fanout) send(c *Conn) {
	if f.sendTo(c) {
		f.sent++
	}
}

func (f *fanout) sendTo(c *Conn) (taken bool) {
	if d, ok := c.dialog().(fanoutDialog); ok {
		return d.sendShared(c, f)
	}
	if f.shared == nil || c.ownProtocol() {
		return c.Send(f.data) == nil
	}
	tx, err := c.begin()
	if err != nil {
		return false
	}
	f.share(tx, f.shared)
	return true
}

// share ends a sending with bytes that many connections share. They are written when all have
// them.
func (f *fanout) share(tx sending, bytes []byte) {
	tx.Share(bytes)
	if tx.CommitLater() {
		f.wakeLater(tx.conn.stream.Loop())
	}
}

func (f *fanout) wakeLater(l *loop.Loop) {
	for _, known := range f.loops {
		if known == l {
			return
		}
	}
	f.loops = append(f.loops, l)
}

func (f *fanout) done() int {
	for _, l := range f.loops {
		l.Wake()
	}
	return f.sent
}
