package workerman

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync/atomic"

	"github.com/workerman-go/workerman/internal/handover"
)

// messages is the dialog of a Protocol, or of bytes as they come: nothing but messages. What a
// Protocol has to remember is with the connection.
type messages struct{}

var _ movingDialog = messages{}

// messagesType describes what a worker speaks whose address names no dialog.
func messagesType() dialogType {
	return dialogType{
		advice: func(s *server) string {
			if s.callbacks.OnRequest != nil || s.callbacks.OnUpgrade != nil {
				return "OnRequest and OnUpgrade are for workers of the schemes http and websocket"
			}
			return ""
		},
		language:  handover.Protocol,
		languages: []handover.Language{handover.Protocol},
		restore: func(c *Conn, st *handover.State) (dialog, error) {
			if st.Stateful && !st.OwnProtocol {
				return nil, c.restoreProtocol(st.Codec)
			}
			return nil, nil
		},
	}
}

// receive cuts messages out of b and delivers them.
func (messages) receive(c *Conn, b []byte) (used, want int) {
	n := 0
	defer func() { c.count(n) }()
	for used < len(b) && c.receiving() {
		if c.takeNotices() {
			continue
		}
		p := c.Protocol()
		if p == nil {
			n++
			rest := b[used:]
			used = len(b)
			c.dispatch(rest, 0)
			continue
		}
		size, err := c.nextSize(p, b[used:])
		if err != nil {
			c.fail(err)
			return len(b), 0
		}
		if size == 0 || size > len(b)-used {
			return used, size
		}
		frame := b[used : used+size : used+size]
		used += size
		data, err := p.Decode(c, frame)
		switch {
		case err == nil:
			n++
			c.dispatch(data, 0)
		case !errors.Is(err, ErrSkip):
			c.fail(fmt.Errorf("decode: %w", err))
			return len(b), 0
		}
	}
	return used, 0
}

// nextSize asks the protocol for the size of the first message, 0 if it cannot tell yet.
func (c *Conn) nextSize(p Protocol, buf []byte) (size int, err error) {
	limit := c.maxPackage()
	if s, ok := p.(Scanner); ok {
		size, err = s.Scan(c, buf, int(c.scanned))
		c.scanned = 0
		if size == 0 {
			c.scanned = int32(min(len(buf), math.MaxInt32))
		}
	} else {
		size, err = p.Input(c, buf)
	}
	if err != nil {
		return 0, fmt.Errorf("input: %w", err)
	}
	switch {
	case size < 0:
		return 0, fmt.Errorf("input: %T gave the size %d", p, size)
	case size > limit:
		return 0, fmt.Errorf("%w: %d bytes, MaxPackageSize is %d", ErrTooLarge, size, limit)
	case size == 0 && len(buf) >= limit:
		return 0, fmt.Errorf("%w: %d bytes without an end, MaxPackageSize is %d", ErrTooLarge, len(buf), limit)
	}
	return size, nil
}

// endOfInput answers the peer's end of stream with an orderly close.
func (messages) endOfInput(c *Conn) (done bool) {
	c.run(c.close)
	return true
}

// deadline checks IdleTimeout and, before the first message, HandshakeTimeout.
func (messages) deadline(c *Conn, now int64) (next int64, err error) {
	next, err = c.idleDeadline(now)
	if err == nil && c.ready() && atomic.LoadUint64(&c.received) == 0 {
		return c.handshakeDeadline(now, next)
	}
	return next, err
}

// idleDeadline is the loop's time of the next look at IdleTimeout, 0 if there is none.
func (c *Conn) idleDeadline(now int64) (next int64, err error) {
	limit := c.settings.limits.IdleTimeout
	if limit <= 0 {
		return 0, nil
	}
	active := c.stream.LastActive()
	if c.stream.Paused() {
		active = now // nobody listens to the peer, so it is not its silence
	}
	if next = active + limit.Milliseconds(); next <= now {
		return 0, fmt.Errorf("%w: nothing received for %v", ErrIdle, limit)
	}
	return next, nil
}

func (messages) send(c *Conn, data []byte) error { return c.send(c.Protocol(), data) }

func (messages) shutDown(c *Conn, data []byte, _ error) error {
	if data == nil {
		c.stream.Close()
		return nil
	}
	tx, err := c.beginAlways()
	if err != nil {
		return err
	}
	err = tx.enqueue(c.Protocol(), data)
	tx.CommitClose()
	return err
}

// scheme is that of the protocol, the transport for bytes as they come, or the type of a protocol
// without a scheme.
func (messages) scheme(c *Conn) string {
	p := c.Protocol()
	if p == nil {
		return c.Transport()
	}
	t := reflect.TypeOf(p)
	if s := c.settings.server; s != nil && s.endpoint.protocol != nil && reflect.TypeOf(s.endpoint.protocol) == t {
		return s.endpoint.scheme
	}
	return schemeOf(t)
}

func (messages) resting() bool { return true }

// save adds the state that a Protocol keeps for the connection.
func (messages) save(c *Conn, st *handover.State) (err error) {
	if c.ProtocolState() != nil {
		st.Stateful = true
		st.Codec, err = c.appendProtocolState(c.Protocol().(StateMover))
	}
	return err
}

func (messages) restoreTimes(*handover.State, int64) {}

// appendProtocolState asks a Protocol for the connection's state.
func (c *Conn) appendProtocolState(p StateMover) (state []byte, err error) {
	err = c.settings.guardErr(c, func() (err error) {
		if state, err = p.AppendState(c, nil); err != nil {
			err = fmt.Errorf("AppendState: %w", err)
		}
		return err
	})
	return state, err
}

// restoreProtocol gives a Protocol the state that it had in the old process.
func (c *Conn) restoreProtocol(state []byte) error {
	return c.settings.guardErr(c, func() error {
		p, ok := c.Protocol().(StateMover)
		if !ok {
			return fmt.Errorf("the protocol %T of the new process is no StateMover", c.Protocol())
		}
		if err := p.RestoreState(c, state); err != nil {
			return fmt.Errorf("RestoreState: %w", err)
		}
		return nil
	})
}
