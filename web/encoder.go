package web

import (
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The windows of zstd, far below the 8 MiB that every client has to take (RFC 9659): a larger
// one costs memory for each encoder and gains little for what is not a file.
const (
	wholeWindow  = 1 << 20
	streamWindow = 128 << 10
)

// An Encoder compresses a stream that goes out piece by piece: what Write returns lets the
// client read the whole piece. It holds 0.6 to 0.8 MiB until it is closed, which higher levels
// would make several, so that streams have level 1 whatever Compression says. It serves one
// goroutine at a time.
type Encoder struct {
	out    output
	coding coding
	gzip   *gzip.Writer
	zstd   *zstd.Encoder
	closed bool
}

// output collects what a compressor writes.
type output struct{ bytes []byte }

func (o *output) Write(b []byte) (int, error) {
	o.bytes = append(o.bytes, b...)
	return len(b), nil
}

// streamLevel is the level of all streams.
const streamLevel = 1

// newEncoder makes an encoder for the coding gzip or zstd. Response.CompressStream asks for it where
// the client wants it.
func newEncoder(c coding) *Encoder {
	e := &Encoder{coding: c}
	if c == zstdCoding {
		e.zstd = takeZstd(&streamZstd, streamLevel, streamWindow)
		e.zstd.Reset(&e.out)
	} else {
		e.gzip = takeGzip(streamLevel)
		e.gzip.Reset(&e.out)
	}
	return e
}

// Write compresses a piece. The result is lent until the next call; it is empty if piece is,
// and after Close.
func (e *Encoder) Write(piece []byte) []byte {
	e.out.bytes = e.out.bytes[:0]
	if e.closed || len(piece) == 0 {
		return nil
	}
	// Writing to memory cannot fail.
	if e.coding == zstdCoding {
		e.zstd.Write(piece)
		e.zstd.Flush()
	} else {
		e.gzip.Write(piece)
		e.gzip.Flush()
	}
	return e.out.bytes
}

// Close returns the end of the compressed stream. Call it also when the rest is not going to
// be sent, since it gives back the memory.
func (e *Encoder) Close() []byte {
	e.out.bytes = e.out.bytes[:0]
	if e.closed {
		return nil
	}
	e.closed = true
	if e.coding == zstdCoding {
		e.zstd.Close()
		e.zstd.Reset(nil)
		streamZstd.Put(e.zstd)
	} else {
		e.gzip.Close()
		giveGzip(streamLevel, e.gzip)
	}
	e.gzip, e.zstd = nil, nil
	return e.out.bytes
}

// The compressors of each level that are not in use.
var (
	gzips      [10]sync.Pool
	wholeZstd  [10]sync.Pool
	streamZstd sync.Pool
	outputs    = sync.Pool{New: func() any { return new(output) }}
)

// maxOutput is the largest memory that is kept for the next body.
const maxOutput = 256 << 10

// compressWhole compresses a body that is there as a whole.
func compressWhole(c coding, level int, body []byte) *output {
	o := outputs.Get().(*output)
	o.bytes = o.bytes[:0]
	if c == zstdCoding {
		z := takeZstd(&wholeZstd[level], level, wholeWindow)
		o.bytes = z.EncodeAll(body, o.bytes)
		wholeZstd[level].Put(z)
		return o
	}
	g := takeGzip(level)
	g.Reset(o)
	g.Write(body)
	g.Close()
	giveGzip(level, g)
	return o
}

func (o *output) release() {
	if cap(o.bytes) <= maxOutput {
		outputs.Put(o)
	}
}

func takeGzip(level int) *gzip.Writer {
	if g, ok := gzips[level].Get().(*gzip.Writer); ok {
		return g
	}
	g, _ := gzip.NewWriterLevel(nil, level) // the level is between 1 and 9
	return g
}

func giveGzip(level int, g *gzip.Writer) {
	g.Reset(nil)
	gzips[level].Put(g)
}

// takeZstd gives an encoder that works on the calling goroutine alone.
func takeZstd(pool *sync.Pool, level, window int) *zstd.Encoder {
	if z, ok := pool.Get().(*zstd.Encoder); ok {
		return z
	}
	z, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false)) // all of them valid
	return z
}
