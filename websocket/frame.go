package websocket

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Opcode tells what a frame or an event is, RFC 6455 section 5.2.
type Opcode uint8

// The opcodes of RFC 6455 section 11.8. Continuation is the zero value: Next returns it
// when there is no event.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

// String is the name of the opcode.
func (op Opcode) String() string {
	switch op {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return fmt.Sprintf("opcode %d", uint8(op))
}

func (op Opcode) control() bool { return op >= Close }

func (op Opcode) known() bool { return op <= Binary || op >= Close && op <= Pong }

// MaxControlSize is the largest payload of a ping, pong or close, RFC 6455 section 5.5.
const MaxControlSize = 125

// maxHeaderSize is 2 bytes, a 64-bit length and a mask.
const maxHeaderSize = 14

// Header is the header of a frame, RFC 6455 section 5.2.
type Header struct {
	Fin    bool    // last fragment of a message
	RSV    uint8   // the reserved bits: 4 is RSV1, 2 is RSV2, 1 is RSV3
	Op     Opcode  // 4 bits
	Masked bool    // true from clients, false from servers
	Key    [4]byte // the mask, if Masked
	Size   int64   // bytes of the payload
}

// rsv1 marks a compressed message, RFC 7692 section 6.
const rsv1 = 4

// parseHeader returns the header at the beginning of buf and its length, 0 if it is not
// complete. It refuses what no role and no extension could allow: a length that is not
// in its shortest form, one of 2^63 or more, and a control frame that is fragmented or
// larger than MaxControlSize. The error is a *CloseError.
func parseHeader(buf []byte) (h Header, n int, err error) {
	if len(buf) < 2 {
		return h, 0, nil
	}
	h = startOfHeader(buf)
	n, err = h.rest(buf)
	return h, n, err
}

// startOfHeader takes what the first two bytes of a frame tell.
func startOfHeader(buf []byte) Header {
	return Header{
		Fin:    buf[0]&0x80 != 0,
		RSV:    buf[0] >> 4 & 7,
		Op:     Opcode(buf[0] & 15),
		Masked: buf[1]&0x80 != 0,
		Size:   int64(buf[1] & 0x7f),
	}
}

// rest completes a header from what follows its first two bytes and returns its length,
// 0 if it is not complete.
func (h *Header) rest(buf []byte) (n int, err error) {
	if h.Op.control() {
		switch {
		case !h.Fin:
			return 0, protocolError("fragmented control frame")
		case h.Size > MaxControlSize:
			return 0, protocolError("control frame of more than 125 bytes")
		}
	}
	n = 2
	switch h.Size {
	case 126:
		if len(buf) < 4 {
			return 0, nil
		}
		n, h.Size = 4, int64(binary.BigEndian.Uint16(buf[2:]))
		if h.Size < 126 {
			return 0, protocolError("length not in its shortest form")
		}
	case 127:
		if len(buf) < 10 {
			return 0, nil
		}
		size := binary.BigEndian.Uint64(buf[2:])
		switch {
		case size > math.MaxInt64:
			return 0, protocolError("length of 2^63 or more")
		case size <= math.MaxUint16:
			return 0, protocolError("length not in its shortest form")
		}
		n, h.Size = 10, int64(size)
	}
	if h.Masked {
		if len(buf) < n+4 {
			return 0, nil
		}
		h.Key = [4]byte(buf[n:])
		n += 4
	}
	return n, nil
}

// Append appends the header to dst. A length has one form only, the shortest.
func (h Header) Append(dst []byte) []byte {
	b0 := byte(h.Op)&15 | h.RSV&7<<4
	if h.Fin {
		b0 |= 0x80
	}
	var b1 byte
	if h.Masked {
		b1 = 0x80
	}
	switch {
	case h.Size < 126:
		dst = append(dst, b0, b1|byte(h.Size))
	case h.Size <= math.MaxUint16:
		dst = append(dst, b0, b1|126, byte(h.Size>>8), byte(h.Size))
	default:
		dst = append(dst, b0, b1|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(h.Size))
	}
	if h.Masked {
		dst = append(dst, h.Key[:]...)
	}
	return dst
}

// size returns the length of the header in bytes.
func (h Header) size() int {
	n := 2
	switch {
	case h.Size > math.MaxUint16:
		n = 10
	case h.Size >= 126:
		n = 4
	}
	if h.Masked {
		n += 4
	}
	return n
}

// AppendFrame appends one frame to dst: h, whose Size is taken from payload, and a copy
// of payload, masked if h says so. It checks nothing: it is the tool for fragmented
// sending and for tests. Messages go through Codec.AppendMessage.
func AppendFrame(dst []byte, h Header, payload []byte) []byte {
	h.Size = int64(len(payload))
	dst = h.Append(dst)
	start := len(dst)
	dst = append(dst, payload...)
	if h.Masked {
		Mask(dst[start:], h.Key, 0)
	}
	return dst
}
