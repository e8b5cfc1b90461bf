package workerman

import (
	"fmt"

	"github.com/workerman-go/workerman/internal/loop"
	"github.com/workerman-go/workerman/websocket"
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
// a page; elsewhere it is refused, as Respond is. On a WebSocket the message is text, or binary if WebSocket.Binary says so.
func (c *Conn) Send(data []byte) error {
	if d := c.dialog(); d != nil {
		return d.send(c, data)
	}
	return c.send(c.Protocol(), data)
}

// SendRaw sends bytes as they are, without the protocol's framing.
func (c *Conn) SendRaw(data []byte) error { return c.send(nil, data) }

func (c *Conn) send(p Protocol, data []byte) error {
	if c.datagram {
		if !c.Connected() {
			return ErrClosed
		}
		return c.rare().packets.send(c, p, data)
	}
	limit, err := c.begin()
	if err != nil {
		return err
	}
	if err := c.enqueue(p, data); err != nil {
		c.stream.Abort()
		return err
	}
	c.commit(limit)
	return nil
}

// begin opens a transaction, unless the send buffer is full. limit is for commit.
func (c *Conn) begin() (limit int, err error) {
	s := &c.stream
	queued, ok := s.Begin()
	if !ok {
		return 0, ErrClosed
	}
	limit = c.maxSend()
	if queued >= limit && s.Flush() >= limit {
		s.Abort()
		return 0, c.refused()
	}
	return limit, nil
}

func (c *Conn) commit(limit int) {
	if c.stream.Commit(limit) {
		c.stream.NeedAttention(noticeFull)
	}
}

// enqueue encodes data into the output, with the stream locked.
func (c *Conn) enqueue(p Protocol, data []byte) error {
	s := &c.stream
	if p == nil {
		if len(data) >= largeMessage {
			s.Write(nil, data, nil)
		} else {
			s.Append(data)
		}
		return nil
	}
	if e, ok := p.(envelope); ok {
		if len(data) >= largeMessage {
			var room [16]byte
			head, tail, err := e.envelope(room[:0], len(data))
			if err == nil {
				s.Write(head, data, tail)
			}
			return err
		}
		out, err := p.Encode(c, s.Reserve(len(data)+16), data)
		if err == nil {
			s.Append(out)
		}
		return err
	}
	out, err := c.encode(p, s.Reserve(len(data)+64), data)
	if err == nil {
		s.Append(out)
	}
	return err
}

// encode calls a user's Encode and turns a panic, which would leave the connection
// locked, into an error.
func (c *Conn) encode(p Protocol, dst, data []byte) (out []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			p := newPanicError(v)
			c.svc.reportPanic(c, p)
			err = p
		}
	}()
	if out, err = p.Encode(c, dst, data); err != nil {
		err = fmt.Errorf("encode: %w", err)
	}
	return out, err
}

// refused deals with a message that found the send buffer full.
func (c *Conn) refused() error {
	c.svc.sendFail.Add(1)
	if c.svc.limits.FullPolicy == CloseWhenFull {
		c.end(ErrBufferFull)
		c.stream.Destroy(ErrBufferFull)
		return ErrBufferFull
	}
	c.stream.NeedAttention(noticeRefused)
	return ErrBufferFull
}

// CloseWith sends data as the last message and closes. The message is accepted even
// if the send buffer is full. On a connection of HTTP it is an answer, as that of Send;
// ErrNoRequest means that it was refused, and that the connection closes without it.
func (c *Conn) CloseWith(data []byte) error {
	if c.datagram {
		err := c.Send(data)
		c.Close()
		return err
	}
	c.dismiss()
	if d := c.dialog(); d != nil {
		return d.end(c, data, nil)
	}
	if _, ok := c.stream.Begin(); !ok {
		return ErrClosed
	}
	err := c.enqueue(c.Protocol(), data)
	c.stream.CommitClose()
	return err
}

// Close closes the connection once everything that Send accepted has been taken by the
// peer, or when the peer has taken nothing for LingerTimeout. Sends are refused from now
// on and no OnMessage follows. Further calls do nothing; a worker's peer over UDP has nothing
// to close.
//
// A WebSocket's peer gets a close frame with the code 1000: see CloseWithCode. A request of
// HTTP that was not answered gets no answer. A Client does not connect again by itself.
func (c *Conn) Close() {
	c.dismiss()
	c.close()
}

// close is Close for reasons that are not the program's.
func (c *Conn) close() {
	if c.datagram {
		p := c.rare().packets
		p.hangUp(c)
		return
	}
	if d := c.dialog(); d != nil {
		d.end(c, nil, nil)
		return
	}
	c.stream.Close()
}

// Destroy closes the connection at once and drops what was not written yet.
func (c *Conn) Destroy() {
	c.dismiss()
	if c.datagram {
		c.close()
		return
	}
	c.stream.Destroy(loop.ErrDestroyed)
}

// fanout sends one message to many connections: encoded once, shared by reference, and
// every loop woken once.
type fanout struct {
	svc      *service
	data     []byte
	shared   []byte              // encoded; nil if the protocol must encode for each
	prepared *websocket.Prepared // the same for WebSockets
	loops    []*loop.Loop
	sent     int
}

func (s *service) newFanout(data []byte) (*fanout, error) {
	f := &fanout{svc: s, data: data}
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

func (f *fanout) send(c *Conn) {
	shared := f.shared
	var w *wsConn
	if x := c.rare(); x != nil {
		switch w = x.ws.Load(); {
		case w != nil:
		case x.http.Load() != nil:
			return // a client that waits for answers, not for messages
		case x.protocol.Load() != nil:
			shared = nil
		}
	}
	if w == nil && shared == nil {
		if c.Send(f.data) == nil {
			f.sent++
		}
		return
	}
	limit, err := c.begin()
	if err != nil {
		return
	}
	s := &c.stream
	if w != nil {
		var ok bool
		if shared, ok = f.message().Frame(w.codec); !ok {
			s.Abort()
			return
		}
	}
	s.Share(shared)
	wake, full := s.CommitLater(limit)
	if full {
		s.NeedAttention(noticeFull)
	}
	if wake {
		f.wakeLater(s.Loop())
	}
	f.sent++
}

// message is the data as a message for WebSockets.
func (f *fanout) message() *websocket.Prepared {
	if f.prepared == nil {
		f.prepared, _ = websocket.NewPrepared(f.svc.messageKind, f.data) // an error is of the kind
	}
	return f.prepared
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
