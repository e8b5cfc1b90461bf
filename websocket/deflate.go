package websocket

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/flate"
)

// Deflate are the parameters of permessage-deflate that a handshake agreed on, RFC 7692
// section 7.1. The zero value means no compression.
type Deflate struct {
	Enabled                 bool
	ServerNoContextTakeover bool  // the server compresses each message by itself
	ClientNoContextTakeover bool  // the client does
	ServerMaxWindowBits     uint8 // 8 to 15, of what the server compresses
	ClientMaxWindowBits     uint8 // 8 to 15, of what the client compresses
}

const (
	minWindowBits = 8
	maxWindowBits = 15
)

// sending returns the parameters of the direction in which role sends.
func (d Deflate) sending(role Role) (bits uint8, takeover bool) {
	if role == Server {
		return d.ServerMaxWindowBits, !d.ServerNoContextTakeover
	}
	return d.ClientMaxWindowBits, !d.ClientNoContextTakeover
}

// receiving returns the parameters of the direction in which role receives.
func (d Deflate) receiving(role Role) (bits uint8, takeover bool) {
	if role == Server {
		return d.sending(Client)
	}
	return d.sending(Server)
}

// deflateClass is a way to compress. Messages of one class without a dictionary are the
// same on all connections.
type deflateClass struct {
	bits      uint8
	level     uint8 // 0 for windows below 15 bits, which have no levels
	stateless bool
}

func (c *Codec) deflateClass() deflateClass {
	bits, _ := c.deflate.sending(c.role)
	o := &c.options.Compression
	switch {
	case bits != maxWindowBits:
		return deflateClass{bits: bits}
	case o.Stateless:
		return deflateClass{bits: bits, stateless: true}
	}
	return deflateClass{bits: bits, level: uint8(o.level())}
}

// appendDeflated appends data as a compressed message, if that is smaller.
func (c *Codec) appendDeflated(dst []byte, op Opcode, data []byte) ([]byte, bool) {
	class := c.deflateClass()
	bits, takeover := c.deflate.sending(c.role)
	// A stateless compressor would use 8 KiB of the window at most: not worth keeping it.
	takeover = takeover && !class.stateless
	h := c.header(op)
	h.RSV = rsv1
	h.Size = int64(len(data))
	out, ok := class.appendFrame(dst, h, data, c.outWindow())
	if ok && takeover {
		c.windows.out = slide(c.windows.out, data, bits)
	}
	return out, ok
}

// appendFrame appends a frame with h and the compressed data. It is false, and appends
// nothing, if that is not smaller than data.
func (class deflateClass) appendFrame(dst []byte, h Header, data, dict []byte) ([]byte, bool) {
	// The payload goes where the header for data as it is would end. It is smaller, so
	// that its own header fits before it.
	start := len(dst)
	var blank [maxHeaderSize]byte
	room := h.size()
	out, ok := class.append(append(dst, blank[:room]...), data, dict)
	if !ok {
		return dst, false
	}
	payload := out[start+room:]
	if len(payload) >= len(data) {
		return dst, false
	}
	h.Size = int64(len(payload))
	headEnd := len(h.Append(out[:start]))
	moved := out[:headEnd+copy(out[headEnd:], payload)]
	if h.Masked {
		Mask(moved[headEnd:], h.Key, 0)
	}
	return moved, true
}

// deflater is a pooled compressor, which writes into a slice.
type deflater struct {
	w   *flate.Writer
	out []byte
}

func (d *deflater) Write(p []byte) (int, error) {
	d.out = append(d.out, p...)
	return len(p), nil
}

// deflaters are the pools: for windows of 8 to 14 bits, then for levels 1 to 9. The
// entry of level 0 serves stateless compression, which needs only the slice.
var deflaters [maxWindowBits - minWindowBits + 10]sync.Pool

func (class deflateClass) deflater() (*deflater, *sync.Pool) {
	i := int(class.bits) - minWindowBits
	if class.bits == maxWindowBits {
		i += int(class.level)
	}
	pool := &deflaters[i]
	if d, ok := pool.Get().(*deflater); ok {
		return d, pool
	}
	d := &deflater{}
	// The arguments are in range, so that there is no error.
	switch {
	case class.stateless:
	case class.bits == maxWindowBits:
		d.w, _ = flate.NewWriter(d, int(class.level))
	default:
		d.w, _ = flate.NewWriterWindow(d, 1<<class.bits)
	}
	return d, pool
}

// syncMarker ends what a compressor flushed: an empty stored block without its first
// three bits. It is the same each time and so left out, RFC 7692 section 7.2.1.
var syncMarker = []byte{0, 0, 0xff, 0xff}

// append appends the compressed data to dst. dict is the window, which is not longer
// than the class allows.
func (class deflateClass) append(dst, data, dict []byte) ([]byte, bool) {
	d, pool := class.deflater()
	d.out = dst
	var err error
	if class.stateless {
		err = flate.StatelessDeflate(d, data, false, nil)
	} else {
		d.w.ResetDict(d, dict)
		if _, err = d.w.Write(data); err == nil {
			err = d.w.Flush()
		}
		if dict != nil {
			// The compressor would keep the connection's window from the collector.
			d.w.ResetDict(nil, nil)
		}
	}
	out := d.out
	d.out = nil
	pool.Put(d)
	if err != nil || !bytes.HasSuffix(out[len(dst):], syncMarker) {
		return dst, false
	}
	return out[:len(out)-len(syncMarker)], true
}
