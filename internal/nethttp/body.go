package nethttp

import (
	"io"
	"os"
	"sync"
)

// inflow is what arrives on a connection for a goroutine that reads it: the body of a
// request, or, once that is hijacked, everything. The loop feeds it; beyond maxInflow bytes
// that nobody has read, reading from the peer pauses.
type inflow struct {
	conn    Conn
	changed chan struct{} // a wake-up for the reader: buffered 1, filled after every change below
	until   deadline      // when reads give up

	mu       sync.Mutex // guards what follows; it may be held while the connection is called
	data     []byte     // what was fed and is not dropped yet
	start    int        // how much of data was read
	received int64      // how much was fed in all
	err      error      // what a reader gets behind the data, io.EOF at the end of the body
	closed   error      // what a reader gets at once, since it has closed the body
	trailer  map[string][]string
	expects  bool // the peer waits to be told to send the body
	paused   bool // the loop does not read, because too much is unread
	wide     bool // MaxUnread bytes may be unread
	raw      bool // everything that arrives is the input, as after a hijack
}

// maxInflow is how many bytes may be unread before the connection pauses.
const maxInflow = 64 << 10

var continueLine = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// feed adds a copy of p, and pauses the connection if too much is unread.
func (in *inflow) feed(p []byte) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.received += int64(len(p))
	in.expects = false
	if in.closed != nil {
		return
	}
	if in.start > 0 && len(in.data)+len(p) > cap(in.data) {
		in.data = in.data[:copy(in.data, in.data[in.start:])]
		in.start = 0
	}
	in.data = append(in.data, p...)
	if !in.paused && len(in.data)-in.start >= in.limit() {
		in.paused = true
		in.conn.PauseReading()
	}
	in.wake()
}

// limit is how many bytes may be unread.
func (in *inflow) limit() int {
	if in.wide {
		return MaxUnread
	}
	return maxInflow
}

// widen takes in as much of a body as would be read behind an answer. It is for an answer
// that begins before the body has arrived: some clients read none of it before they have
// sent everything, and would wait for a handler that waits for them.
func (in *inflow) widen() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.wide = true
	if len(in.data)-in.start < MaxUnread {
		in.resume()
	}
}

// wake makes the reader look again.
func (in *inflow) wake() {
	select {
	case in.changed <- struct{}{}:
	default:
	}
}

// end is the end of a complete body, which may have a trailer.
func (in *inflow) end(trailer map[string][]string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.raw {
		in.trailer = trailer
		in.fail(io.EOF)
	}
}

// cut ends the input because of err.
func (in *inflow) cut(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.fail(err)
}

// gone is the end of the peer's stream, which ends a hijacked connection as it should and a
// body too early.
func (in *inflow) gone() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.raw {
		in.fail(io.EOF)
	} else {
		in.fail(io.ErrUnexpectedEOF)
	}
}

// hijack makes it the input of the whole connection.
func (in *inflow) hijack() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.changed == nil {
		in.changed = make(chan struct{}, 1)
	}
	in.raw, in.expects, in.closed = true, false, nil
	if in.err == io.EOF || in.err == io.ErrUnexpectedEOF {
		in.err = nil // that of the body; the loop will tell that of the connection
	}
}

// fail is cut with in.mu held. The first reason stays.
func (in *inflow) fail(err error) {
	if in.err == nil {
		in.err = err
		in.wake()
	}
}

// close makes reads return err and drops what comes.
func (in *inflow) close(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed == nil {
		in.closed = err
		in.data, in.start = nil, 0
		in.resume()
		in.wake()
	}
}

// resume goes on reading from the peer. With in.mu held.
func (in *inflow) resume() {
	if in.paused {
		in.paused = false
		in.conn.ResumeReading()
	}
}

// read waits for input. Once it was told to go on by SetReadDeadline it may time out, with
// os.ErrDeadlineExceeded.
func (in *inflow) read(p []byte) (n int, err error) {
	if in.invite(); len(p) == 0 {
		return 0, nil
	}
	expired := in.until.wait()
	for {
		if n, err = in.take(p, isClosed(expired)); n > 0 || err != nil {
			return n, err
		}
		select {
		case <-in.changed:
		case <-expired:
		}
	}
}

// take reads what is there.
func (in *inflow) take(p []byte, expired bool) (n int, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.closed != nil:
		return 0, in.closed
	case expired:
		return 0, os.ErrDeadlineExceeded
	case in.start == len(in.data):
		if in.err != nil {
			in.wake() // to another reader, if there is one
		}
		return 0, in.err
	}
	n = copy(p, in.data[in.start:])
	if in.start += n; in.start == len(in.data) {
		in.data, in.start = in.data[:0], 0
	} else {
		in.wake()
	}
	if len(in.data)-in.start <= in.limit()/4 {
		in.resume()
	}
	return n, nil
}

// invite tells a peer that waits for it to send its body (RFC 9110, section 10.1.1).
func (in *inflow) invite() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.expects {
		in.expects = false
		in.conn.Transmit(continueLine)
	}
}

// uninvited says whether the peer still waits to be told to send. From now on it is not.
func (in *inflow) uninvited() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	expected := in.expects
	in.expects = false
	return expected
}

// outstanding is how many of size bytes have not arrived, -1 if size does not say that.
func (in *inflow) outstanding(size int64) int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.err == io.EOF:
		return 0
	case size < 0:
		return -1
	}
	return size - in.received
}
