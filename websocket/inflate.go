package websocket

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// inflater is a pooled decompressor.
type inflater struct {
	in bytes.Reader
	r  io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	f := &inflater{}
	f.r = flate.NewReader(&f.in)
	return f
}}

// messageEnd follows the payload of a compressed message: the marker that its sender
// left out, RFC 7692 section 7.2.2, and an empty last block, with which the decompressor
// knows that the end is reached.
var messageEnd = []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}

// maxLastBlocks limits how many blocks of one message may call themselves the last of
// their stream, which starts a new one. Senders that end streams at all write one.
const maxLastBlocks = 64

// inflate returns the decompressed message. It never holds more than MaxMessageSize and
// one buffer step of it, whatever the payload promises.
func (c *Codec) inflate(payload []byte) (*buffer, error) {
	packed := newBuffer(len(payload) + len(messageEnd))
	packed.b = append(append(packed.b, payload...), messageEnd...)
	defer packed.release()
	limit := c.options.maxMessageSize()
	out := newBuffer(min(4*len(payload), limit) + 1)
	f := inflaters.Get().(*inflater)
	var err error
	out, err = f.run(packed.b, c.inWindow(), out, limit)
	// Nothing of this connection may stay in the pool.
	f.in.Reset(nil)
	f.reset(nil)
	inflaters.Put(f)
	if err != nil {
		out.release()
		return nil, err
	}
	if bits, takeover := c.deflate.receiving(c.role); takeover {
		c.windows.in = slide(c.windows.in, out.b, bits)
	}
	return out, nil
}

func (f *inflater) reset(dict []byte) {
	// The reader of package flate is a Resetter, and its Reset returns no error.
	_ = f.r.(flate.Resetter).Reset(&f.in, dict)
}

// run inflates packed into out until the empty last block at its end.
func (f *inflater) run(packed, dict []byte, out *buffer, limit int) (*buffer, error) {
	f.in.Reset(packed)
	f.reset(dict)
	for range maxLastBlocks {
		for {
			// One byte more than allowed tells that the message is too large.
			out = out.grown(1, limit+1)
			space := out.b[len(out.b):min(cap(out.b), limit+1)]
			n, err := f.r.Read(space)
			out.b = out.b[:len(out.b)+n]
			if len(out.b) > limit {
				return out, tooBig(limit)
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return out, invalidData("compressed message is damaged")
			}
		}
		if f.in.Len() == 0 {
			return out, nil
		}
		// A block that called itself the last is allowed inside a message, RFC 7692 section
		// 7.2.3.4. The stream behind it may refer to all before.
		f.reset(historyOf(dict, out.b))
	}
	return out, protocolError("compressed message of too many streams")
}

// historyOf returns what a stream behind out may refer to.
func historyOf(dict, out []byte) []byte {
	const size = 1 << maxWindowBits
	if len(out) >= size {
		return out[len(out)-size:]
	}
	return append(append(make([]byte, 0, len(dict)+len(out)), dict...), out...)
}
