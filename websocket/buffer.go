package websocket

import (
	"math/bits"
	"sync"
)

// buffer holds a message that is put together. Buffers of usual sizes are pooled, one
// pool for each power of two, so that a connection in the middle of a small message holds
// a small one.
type buffer struct{ b []byte }

const (
	minBufferBits = 9  // 512 B
	maxBufferBits = 18 // 256 KiB; larger ones go to the collector
)

var buffers [maxBufferBits - minBufferBits + 1]sync.Pool

// newBuffer returns an empty buffer with room for size bytes.
func newBuffer(size int) *buffer {
	if size > 1<<maxBufferBits {
		return &buffer{b: make([]byte, 0, size)}
	}
	class := max(bits.Len(uint(max(size, 1)-1)), minBufferBits) - minBufferBits
	if b, ok := buffers[class].Get().(*buffer); ok {
		return b
	}
	return &buffer{b: make([]byte, 0, 1<<(class+minBufferBits))}
}

// release gives the buffer back to its pool. A nil buffer has nothing to give.
func (b *buffer) release() {
	if b == nil {
		return
	}
	n := cap(b.b)
	if n&(n-1) != 0 || n < 1<<minBufferBits || n > 1<<maxBufferBits {
		return
	}
	b.b = b.b[:0]
	buffers[bits.Len(uint(n))-1-minBufferBits].Put(b)
}

// grown returns a buffer with the same content and room for at least n more bytes but
// for no more than limit in all, unless n needs that. b is released if it is another one.
func (b *buffer) grown(n, limit int) *buffer {
	need := len(b.b) + n
	if need <= cap(b.b) {
		return b
	}
	bigger := newBuffer(max(need, min(2*cap(b.b), limit)))
	bigger.b = append(bigger.b, b.b...)
	b.release()
	return bigger
}
