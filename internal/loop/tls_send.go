package loop

import "sync"

// Output is encrypted when it is about to be written, and no more of it than one call
// takes: what waits for a slow peer waits in clear, but for one batch of records.

const (
	// sealBatch is how many bytes are encrypted for one write: a burst at least.
	sealBatch = corkSize
	// sealedSize holds the records of a batch: crypto/tls begins with records of some
	// 1,200 bytes, and the costliest cipher adds 69 bytes to each.
	sealedSize = sealBatch + 8<<10
	// smallBatch is what fits into a block of output when it is encrypted.
	smallBatch = blockSize - 512
	// maxRecord is the most that one record holds (RFC 8446, section 5.1).
	maxRecord = 16 << 10
)

var (
	sealedBlocks = sync.Pool{New: func() any { return &block{b: make([]byte, 0, sealedSize)} }}
	recordBlocks = sync.Pool{New: func() any { return &block{b: make([]byte, 0, maxRecord)} }}
)

// reserve makes room for the records of n bytes.
func (t *tlsLayer) reserve(n int) {
	switch {
	case t.out != nil:
	case n <= smallBatch:
		t.out = blocks.Get().(*block)
	default:
		t.out = sealedBlocks.Get().(*block)
	}
}

// store queues a record.
func (t *tlsLayer) store(record []byte) {
	t.reserve(len(record))
	t.out.b = append(t.out.b, record...)
}

// dropRecords forgets the records that are queued.
func (t *tlsLayer) dropRecords() {
	if b := t.out; b != nil {
		b.b = b.b[:0]
		switch cap(b.b) {
		case blockSize:
			blocks.Put(b)
		case sealedSize:
			sealedBlocks.Put(b)
		}
	}
	t.out, t.written = nil, 0
}

// sealed is the number of bytes in records that are not written.
func (t *tlsLayer) sealed() int {
	if t.out == nil {
		return 0
	}
	return len(t.out.b) - t.written
}

// drainRecords writes the records that are queued, until they are out or the peer is
// slow. With s.mu held, as for all that follows.
func (t *tlsLayer) drainRecords() (done bool) {
	s := t.stream
	for t.out != nil && !s.output.waiting && !s.hasFailed() {
		rest := t.out.b[t.written:]
		t.written += s.writeVector([][]byte{rest}, len(rest))
		if t.out != nil && t.written == len(t.out.b) {
			t.dropRecords()
		}
	}
	return t.out == nil && !s.hasFailed()
}

// seal encrypts up to a batch of the pieces, size bytes in all, and writes it. It returns
// how many bytes it took. No records wait when it is called.
func (t *tlsLayer) seal(pieces [][]byte, size int) (n int) {
	size = min(size, sealBatch)
	t.reserve(size)
	for at := (place{}); n < size; {
		p := at.contiguous(pieces)
		var gathered *block
		if len(p) < min(maxRecord, size-n) {
			gathered = recordBlocks.Get().(*block)
			p = at.gather(gathered.b, pieces)
		}
		p = p[:min(len(p), size-n)]
		_, err := t.conn.Write(p)
		if gathered != nil {
			recordBlocks.Put(gathered)
		}
		if err != nil {
			t.stream.noteFailure(err)
			return 0
		}
		at.advance(pieces, len(p))
		n += len(p)
	}
	t.drainRecords()
	return n
}

// farewell sends close_notify behind all output. It reports whether everything is written.
func (t *tlsLayer) farewell() (done bool) {
	if !t.notified {
		t.notified = true
		if err := t.conn.CloseWrite(); err != nil {
			return true // an alert of ours ended the encryption before
		}
	}
	return t.drainRecords()
}

// place is a place in a list of pieces.
type place struct{ piece, offset int }

// contiguous is what follows in the same piece.
func (at *place) contiguous(pieces [][]byte) []byte { return pieces[at.piece][at.offset:] }

// gather copies what follows into b, as much as its capacity holds.
func (at place) gather(b []byte, pieces [][]byte) []byte {
	for ; at.piece < len(pieces) && len(b) < cap(b); at = (place{piece: at.piece + 1}) {
		p := at.contiguous(pieces)
		b = append(b, p[:min(len(p), cap(b)-len(b))]...)
	}
	return b
}

func (at *place) advance(pieces [][]byte, n int) {
	for n > 0 {
		k := min(n, len(pieces[at.piece])-at.offset)
		at.offset += k
		n -= k
		if at.offset == len(pieces[at.piece]) {
			*at = place{piece: at.piece + 1}
		}
	}
}
