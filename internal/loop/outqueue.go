package loop

import "sync"

// blockSize is the unit in which small output is collected.
const blockSize = 4 << 10

// block is a piece of memory for output that is used again.
type block struct{ b []byte }

var blocks = sync.Pool{New: func() any { return &block{b: make([]byte, 0, blockSize)} }}

// outQueue is output in order, in pieces: collected blocks, large messages of their
// own, and bytes shared with other streams (a broadcast).
type outQueue struct {
	pieces [][]byte
	backs  []*block // the block of each piece, nil for other memory
	head   int      // pieces before it are written
	size   int      // bytes from head on
	open   bool     // the last piece is ours and may grow within its capacity
	cork   *block   // first block of a loop's cork queue, which is never pooled

	file *filePart // what is sent behind the pieces, nil if that is all
}

var outQueues = sync.Pool{New: func() any { return new(outQueue) }}

func (q *outQueue) push(p []byte, back *block, open bool) {
	q.pieces = append(q.pieces, p)
	q.backs = append(q.backs, back)
	q.open = open
}

// reserve returns an empty slice with room for n bytes behind what is queued.
func (q *outQueue) reserve(n int) []byte {
	if q.open {
		if last := q.pieces[len(q.pieces)-1]; cap(last)-len(last) >= n {
			return last[len(last):]
		}
	}
	switch {
	case q.cork != nil && len(q.pieces) == 0 && n <= cap(q.cork.b):
		q.push(q.cork.b, q.cork, true)
	case n > blockSize:
		q.push(make([]byte, 0, n), nil, true)
	default:
		back := blocks.Get().(*block)
		q.push(back.b, back, true)
	}
	return q.pieces[len(q.pieces)-1]
}

// append queues a copy of p. If p was written into the slice that reserve returned,
// it is taken over without copying.
func (q *outQueue) append(p []byte) {
	if len(p) == 0 {
		return
	}
	room := q.reserve(len(p))[:len(p)]
	if &room[0] != &p[0] {
		copy(room, p)
	}
	last := &q.pieces[len(q.pieces)-1]
	*last = (*last)[:len(*last)+len(p)]
	q.size += len(p)
}

// share queues p itself, which must never change again.
func (q *outQueue) share(p []byte) {
	if len(p) > 0 {
		q.push(p, nil, false)
		q.size += len(p)
	}
}

// unwritten is what is queued, in order.
func (q *outQueue) unwritten() [][]byte { return q.pieces[q.head:] }

// consume drops n bytes from the front.
func (q *outQueue) consume(n int) {
	if q.size -= n; q.size == 0 {
		q.reset()
		return
	}
	for n >= len(q.pieces[q.head]) {
		n -= len(q.pieces[q.head])
		q.release(q.head)
		q.pieces[q.head], q.backs[q.head] = nil, nil
		q.head++
	}
	q.pieces[q.head] = q.pieces[q.head][n:]
	if q.head >= compactAfter && 2*q.head >= len(q.pieces) {
		rest := copy(q.pieces, q.pieces[q.head:])
		copy(q.backs, q.backs[q.head:])
		clear(q.pieces[rest:])
		clear(q.backs[rest:])
		q.pieces, q.backs, q.head = q.pieces[:rest], q.backs[:rest], 0
	}
}

// compactAfter is how many written pieces a queue that never empties may carry along.
const compactAfter = 64

func (q *outQueue) release(i int) {
	if b := q.backs[i]; b != nil && b != q.cork {
		blocks.Put(b)
	}
}

// reset drops all pieces.
func (q *outQueue) reset() {
	for i := q.head; i < len(q.pieces); i++ {
		q.release(i)
	}
	clear(q.pieces)
	clear(q.backs)
	q.pieces, q.backs, q.head, q.size, q.open = q.pieces[:0], q.backs[:0], 0, 0, false
}

// moveTo appends everything to dst, which has no file yet: what is in the cork block as a
// copy, the rest by reference.
func (q *outQueue) moveTo(dst *outQueue) {
	for i := q.head; i < len(q.pieces); i++ {
		p, back := q.pieces[i], q.backs[i]
		if back != nil && back == q.cork {
			dst.append(p)
			continue
		}
		q.backs[i] = nil // the block goes along
		dst.push(p, back, q.open && i == len(q.pieces)-1)
		dst.size += len(p)
	}
	dst.file, q.file = q.file, nil
	q.reset()
}

// maxSparePieces keeps a queue that held very many pieces out of the pool.
const maxSparePieces = 1024

// free drops all pieces and gives q, unless it is a cork, back to the pool.
func (q *outQueue) free() {
	q.reset()
	if q.cork == nil && cap(q.pieces) <= maxSparePieces {
		outQueues.Put(q)
	}
}
