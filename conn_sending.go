package workerman

import (
	"fmt"

	"github.com/workerman-go/workerman/internal/loop"
)

// sending is a message on its way into a connection's output: a transaction, which locks the
// connection until it ends, and the limit of the send buffer at its begin. It ends by one of
// Commit, CommitLater, CommitClose and Abort, and is of no use afterwards.
type sending struct {
	loop.Tx
	conn  *Conn
	limit int
}

// begin starts a message of the program: ErrClosed if the connection closes, ErrBufferFull,
// which the program hears of elsewhere too, if the send buffer is full.
func (c *Conn) begin() (sending, error) {
	tx, ok := c.stream.Begin()
	if !ok {
		return sending{}, ErrClosed
	}
	t := sending{tx, c, c.maxSend()}
	if t.full() {
		t.Abort()
		return sending{}, c.refused()
	}
	return t, nil
}

// beginAlways starts what is accepted whatever waits for the peer; ErrClosed if the connection
// closes.
func (c *Conn) beginAlways() (sending, error) {
	tx, ok := c.stream.Begin()
	if !ok {
		return sending{}, ErrClosed
	}
	return sending{tx, c, c.maxSend()}, nil
}

// full reports whether the send buffer is full, also after an attempt to write.
func (t sending) full() bool { return t.Queued() >= t.limit && t.Flush() >= t.limit }

// Commit sends the message. It reports whether the send buffer is full now, of which
// OnBufferFull tells the program soon.
func (t sending) Commit() (full bool) {
	if full = t.Tx.Commit(t.limit); full {
		t.conn.stream.NeedAttention(noticeFull)
	}
	return full
}

// commitQuietly is Commit without OnBufferFull, for what is no message of the program.
func (t sending) commitQuietly() { t.Tx.Commit(t.limit) }

// CommitLater is Commit that leaves the writing to the loop. wake says that the loop must be
// woken, which a sender to many connections does once.
func (t sending) CommitLater() (wake bool) {
	wake, full := t.Tx.CommitLater(t.limit)
	if full {
		t.conn.stream.NeedAttention(noticeFull)
	}
	return wake
}

// enqueue adds data, encoded by p if there is one.
func (t sending) enqueue(p Protocol, data []byte) error {
	if p == nil {
		if len(data) >= largeMessage {
			t.Write(nil, data, nil)
		} else {
			t.Append(data)
		}
		return nil
	}
	if e, ok := p.(envelope); ok {
		if len(data) >= largeMessage {
			var room [envelopeRoom]byte
			head, tail, err := e.envelope(room[:0], len(data))
			if err == nil {
				t.Write(head, data, tail)
			}
			return err
		}
		out, err := p.Encode(t.conn, t.Reserve(len(data)+envelopeRoom), data)
		if err == nil {
			t.Append(out)
		}
		return err
	}
	out, err := t.conn.encode(p, t.Reserve(len(data)+64), data)
	if err == nil {
		t.Append(out)
	}
	return err
}

// encode calls a user's Encode and turns a panic, which would leave the connection
// locked, into an error.
func (c *Conn) encode(p Protocol, dst, data []byte) (out []byte, err error) {
	err = c.settings.guardErr(c, func() (err error) {
		if out, err = p.Encode(c, dst, data); err != nil {
			err = fmt.Errorf("encode: %w", err)
		}
		return err
	})
	return out, err
}

// refused deals with a message that found the send buffer full.
func (c *Conn) refused() error {
	c.settings.sendFail.Add(1)
	if c.settings.limits.FullPolicy == CloseWhenFull {
		c.setErr(ErrBufferFull)
		c.stream.Destroy(ErrBufferFull)
		return ErrBufferFull
	}
	c.stream.NeedAttention(noticeRefused)
	return ErrBufferFull
}

// waitForRoom blocks until the send buffer has room, the connection closes (ErrClosed) or
// cancel is closed (ErrBufferFull). It is for goroutines only, not for the loop. Call it when
// the send buffer was found full and flushed: it waits for the loop to write some of that.
func (c *Conn) waitForRoom(cancel <-chan struct{}) error {
	news := c.ensureRare().roomNews()
	for {
		switch {
		case !c.Connected():
			return ErrClosed
		case !c.stream.Waiting() || c.stream.Queued() < c.maxSend():
			return nil
		}
		select {
		case <-news:
			news = c.ensureRare().roomNews()
		case <-cancel:
			return ErrBufferFull
		}
	}
}

// roomNews returns a channel that the next roomMade closes.
func (x *rareState) roomNews() <-chan struct{} {
	for {
		if news := x.room.Load(); news != nil {
			return *news
		}
		news := make(chan struct{})
		if x.room.CompareAndSwap(nil, &news) {
			return news
		}
	}
}

// roomMade wakes the goroutines that wait for room: there is some, or the connection is closed.
func (x *rareState) roomMade() {
	if x.room.Load() == nil {
		return
	}
	if news := x.room.Swap(nil); news != nil {
		close(*news)
	}
}
