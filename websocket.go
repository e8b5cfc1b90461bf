package workerman

import (
	"errors"
	"fmt"
	"sync"

	"github.com/workerman-go/workerman/websocket"
)

// wsConn is the WebSocket side of a connection, after its handshake.
type wsConn struct {
	codec       *websocket.Codec // its sending half is guarded by the connection's lock
	subprotocol string
	kind        websocket.Opcode // what OnMessage has got
	code        int              // why the peer closes, 0 if it did not say
	reason      string
	pinged      int64 // the loop's time of the last ping
}

var (
	_ kindDialog    = (*wsConn)(nil)
	_ fanoutDialog  = (*wsConn)(nil)
	_ drainedDialog = (*wsConn)(nil)
	_ movingDialog  = (*wsConn)(nil)
)

func (w *wsConn) receive(c *Conn, b []byte) (used, want int) {
	messages := 0
	defer func() { c.count(messages) }()
	for c.receiving() {
		if c.takeNotices() {
			continue
		}
		ev, n, need, err := w.codec.Next(b[used:])
		used += n
		if err != nil {
			c.fail(err)
			return len(b), 0
		}
		switch ev.Op {
		case websocket.Continuation:
			return used, need
		case websocket.Text, websocket.Binary:
			messages++
			c.dispatch(ev.Data, ev.Op)
		case websocket.Ping:
			w.control(c, websocket.Pong, ev.Data)
			c.onControl(c.callbacks().OnPing, ev.Data)
		case websocket.Pong:
			c.onControl(c.callbacks().OnPong, ev.Data)
		case websocket.Close:
			w.code, w.reason = ev.Code, string(ev.Data)
			w.close(c, ev.Code, "")
			return len(b), 0
		}
	}
	return used, 0
}

// onControl calls OnPing or OnPong.
func (c *Conn) onControl(fn func(*Conn, []byte), data []byte) {
	if fn == nil {
		return
	}
	if x := c.rare(); x.queue != nil {
		data = append(make([]byte, 0, len(data)), data...)
		x.queue.pushWhileOpen(c, data, func() { fn(c, data) })
		return
	}
	fn(c, data)
}

// endOfInput closes after a peer that left without a close frame.
func (w *wsConn) endOfInput(c *Conn) (done bool) {
	c.run(c.Close)
	return true
}

func (w *wsConn) scheme(*Conn) string { return "websocket" }

// deadline pings a silent peer and gives a dead one up.
func (w *wsConn) deadline(c *Conn, now int64) (next int64, err error) {
	next, err = c.idleDeadline(now)
	ping := c.settings.webSocket.ping.Milliseconds()
	if err != nil || ping <= 0 {
		return next, err
	}
	active := c.stream.LastActive()
	if c.stream.Paused() {
		active = now
	}
	at := active + ping
	if at <= now {
		if w.pinged > active {
			if w.pinged+ping <= now {
				return 0, fmt.Errorf("%w: no answer to a ping for %v", ErrIdle, c.settings.webSocket.ping)
			}
		} else {
			w.control(c, websocket.Ping, nil)
			w.pinged = now
		}
		at = w.pinged + ping
	}
	if next == 0 || at < next {
		next = at
	}
	return next, nil
}

// control sends a ping or pong, unless so much waits for the peer that it would not help. It
// is no message of the program, so nobody is told.
func (w *wsConn) control(c *Conn, op websocket.Opcode, data []byte) error {
	tx, err := c.beginAlways()
	if err != nil {
		return err
	}
	if tx.full() {
		tx.Abort()
		return ErrBufferFull
	}
	out, err := w.codec.AppendControl(tx.Reserve(len(data)+frameRoom), op, data)
	if err != nil {
		tx.Abort()
		return publicError(err)
	}
	tx.Append(out)
	tx.Commit()
	return nil
}

// frameRoom is what a frame needs at most besides its payload.
const frameRoom = 14

// frameHeads are the heads of large messages while these are written.
var frameHeads = sync.Pool{New: func() any { return new([frameRoom]byte) }}

func (w *wsConn) send(c *Conn, data []byte) error {
	return w.sendKind(c, c.settings.webSocket.kind, data)
}

func (w *wsConn) sendKind(c *Conn, op websocket.Opcode, data []byte) error {
	tx, err := c.begin()
	if err != nil {
		return err
	}
	if err := w.enqueue(tx, op, data); err != nil {
		tx.Abort()
		return err
	}
	tx.Commit()
	return nil
}

// enqueue frames data into the output, 0 being the kind that Send sends.
func (w *wsConn) enqueue(tx sending, op websocket.Opcode, data []byte) error {
	setDefault(&op, tx.conn.settings.webSocket.kind)
	if len(data) >= largeMessage {
		room := frameHeads.Get().(*[frameRoom]byte)
		head, ok := w.codec.AppendHead(room[:0], op, len(data))
		if ok {
			tx.Write(head, data, nil)
		}
		frameHeads.Put(room)
		if ok {
			return nil
		}
	}
	out, err := w.codec.AppendMessage(tx.Reserve(len(data)+frameRoom), op, data)
	if err != nil {
		return publicError(err)
	}
	tx.Append(out)
	return nil
}

// close sends a close frame behind what was sent and ends the connection.
func (w *wsConn) close(c *Conn, code int, reason string) error {
	tx, err := c.beginAlways()
	if err != nil {
		return err
	}
	if out, err := w.codec.AppendClose(tx.Reserve(websocket.MaxControlSize+frameRoom), code, reason); err == nil {
		tx.Append(out)
	}
	tx.CommitClose()
	return nil
}

// shutDown closes with the code that err stands for.
func (w *wsConn) shutDown(c *Conn, data []byte, err error) error {
	var sendErr error
	if data != nil {
		tx, err := c.beginAlways()
		if err != nil {
			return err
		}
		sendErr = w.enqueue(tx, 0, data)
		tx.commitQuietly()
	}
	code, reason := closeCode(err)
	if err := w.close(c, code, reason); err != nil {
		return err
	}
	return sendErr
}

// closeCode says to the peer why the connection ends.
func closeCode(err error) (code int, reason string) {
	var ended *websocket.CloseError
	var failed *PanicError
	switch {
	case err == nil:
		return websocket.CloseNormal, ""
	case errors.As(err, &ended):
		return ended.Code, ended.Reason
	case errors.Is(err, errRestarting):
		return websocket.CloseServiceRestart, err.Error()
	case errors.Is(err, errStopping), errors.Is(err, ErrIdle):
		return websocket.CloseGoingAway, err.Error()
	case errors.Is(err, ErrTooLarge):
		return websocket.CloseTooBig, ""
	case errors.As(err, &failed):
		return websocket.CloseInternalError, ""
	}
	return websocket.CloseInvalidData, ""
}

// SendText sends a message of the kind text on a WebSocket, whatever the worker's default.
// Text has to be UTF-8. On other connections it is Send.
func (c *Conn) SendText(data []byte) error { return c.sendKind(websocket.Text, data) }

// SendBinary sends a message of the kind binary on a WebSocket, whatever the worker's
// default. On other connections it is Send.
func (c *Conn) SendBinary(data []byte) error { return c.sendKind(websocket.Binary, data) }

func (c *Conn) sendKind(op websocket.Opcode, data []byte) error {
	if w := c.wsConn(); w != nil {
		return w.sendKind(c, op, data)
	}
	return c.Send(data)
}

// SendPrepared sends a message that websocket.NewPrepared has framed and, where the client
// agreed to that, compressed, once for all connections that it is sent to. On other
// connections it sends its data.
func (c *Conn) SendPrepared(m *websocket.Prepared) error {
	w := c.wsConn()
	if w == nil {
		_, data := m.Data()
		return c.Send(data)
	}
	tx, err := c.begin()
	if err != nil {
		return err
	}
	frame, ok := m.Frame(w.codec)
	if !ok { // a client masks each frame anew
		tx.Abort()
		kind, data := m.Data()
		return w.sendKind(c, kind, data)
	}
	tx.Share(frame)
	tx.Commit()
	return nil
}

// MessageKind is websocket.Text or websocket.Binary: the kind of the message that
// OnMessage has got, to be asked there. Without a WebSocket it is 0.
func (c *Conn) MessageKind() websocket.Opcode {
	if w := c.wsConn(); w != nil {
		return w.kind
	}
	return websocket.Continuation
}

// Ping sends a WebSocket ping with up to 125 bytes, to which the peer answers with a pong:
// see OnPong. It is for measuring round trips; PingInterval finds dead peers by itself. On
// other connections it does nothing.
func (c *Conn) Ping(data []byte) error {
	if w := c.wsConn(); w != nil {
		return w.control(c, websocket.Ping, data)
	}
	return nil
}

// CloseWithCode is Close that tells a WebSocket's peer why: a code as
// websocket.ClosePolicyViolation or from 4000 to 4999, and up to 123 bytes of text. On
// other connections it is Close.
func (c *Conn) CloseWithCode(code int, reason string) {
	if w := c.wsConn(); w != nil {
		c.noteClosedByProgram()
		w.close(c, code, reason)
		return
	}
	c.Close()
}

// CloseCode is what the peer of a WebSocket gave as its reason to close, to be asked in
// OnClose: websocket.CloseNoStatus if it gave none, websocket.CloseAbnormal if it sent no
// close frame, or this side was the first to close. On other connections it is 0.
func (c *Conn) CloseCode() (code int, reason string) {
	w := c.wsConn()
	switch {
	case w == nil:
		return 0, ""
	case w.code == 0:
		return websocket.CloseAbnormal, ""
	}
	return w.code, w.reason
}

// Subprotocol is what the handshake of a WebSocket agreed on, "" if nothing.
func (c *Conn) Subprotocol() string {
	if w := c.wsConn(); w != nil {
		return w.subprotocol
	}
	return ""
}

func (w *wsConn) setKind(kind websocket.Opcode) { w.kind = kind }

// sendShared frames the message once for all WebSockets; the worker's, as a client masks each.
func (w *wsConn) sendShared(c *Conn, f *fanout) (taken bool) {
	tx, err := c.begin()
	if err != nil {
		return false
	}
	m, _ := f.framed[webSocketDialog].(*websocket.Prepared)
	if m == nil {
		m, _ = websocket.NewPrepared(c.settings.webSocket.kind, f.data) // an error is of the kind
		f.framed[webSocketDialog] = m
	}
	frame, ok := m.Frame(w.codec)
	if !ok {
		tx.Abort()
		return false
	}
	f.share(tx, frame)
	return true
}

func (w *wsConn) resting() bool { return true }

// drainsInTurn is true: clients that all come back at once are a burden.
func (w *wsConn) drainsInTurn() bool { return true }

// mayDrain is true at any time: the close frame says why.
func (w *wsConn) mayDrain(*Conn, bool) bool { return true }
