package websocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
)

// ErrState is returned for bytes that AppendState did not write.
var ErrState = errors.New("websocket: damaged codec state")

const stateVersion = 1

// AppendState appends what a codec of another process needs to go on with the connection:
// the message in progress, the windows, and what was agreed on. The unused input and the
// unsent output belong to the caller; input has to be handed over as Next left it. Both
// halves have to rest, and the last event must be done with. The codec is not to be used
// afterwards, except for Release.
func (c *Codec) AppendState(dst []byte) []byte {
	var message []byte
	if c.message != nil && !c.lent {
		message = c.message.b
	}
	d := c.deflate
	dst = append(dst, stateVersion, byte(c.role),
		pack(c.dead, c.compressed, c.closed, d.Enabled, d.ServerNoContextTakeover, d.ClientNoContextTakeover),
		d.ServerMaxWindowBits, d.ClientMaxWindowBits,
		byte(c.op), c.utf8.missing, c.utf8.lo, c.utf8.hi)
	dst = binary.AppendUvarint(dst, uint64(c.fragments))
	dst = binary.AppendUvarint(dst, uint64(c.seen))
	for _, b := range [][]byte{message, c.inWindow(), c.outWindow()} {
		dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	}
	return dst
}

// RestoreCodec is the reverse of AppendState. o should have the settings that the state
// was made with; limits may differ and hold from then on. state comes from a process of
// the same program: it is checked for damage, not for malice.
func RestoreCodec(o *Options, state []byte) (*Codec, error) {
	const fixed = 9
	if len(state) < fixed || state[0] != stateVersion || state[2]>>6 != 0 {
		return nil, ErrState
	}
	flags := state[2]
	has := func(bit int) bool { return flags&(1<<bit) != 0 }
	c := NewCodec(Role(state[1]), o, Deflate{has(3), has(4), has(5), state[3], state[4]})
	c.dead, c.compressed, c.closed = has(0), has(1), has(2)
	c.op = Opcode(state[5])
	c.utf8 = utf8State{state[6], state[7], state[8]}
	rest := state[fixed:]
	number := func() uint64 {
		v, n := binary.Uvarint(rest)
		if n <= 0 || v > math.MaxInt32 {
			rest = nil
			return 0
		}
		rest = rest[n:]
		return v
	}
	c.fragments, c.seen = int32(number()), int32(number())
	var parts [3][]byte
	for i := range parts {
		n := number()
		if rest == nil || n > uint64(len(rest)) {
			return nil, ErrState
		}
		parts[i], rest = rest[:n], rest[n:]
	}
	if len(rest) != 0 || !c.restorable(len(parts[0]), len(parts[1]), len(parts[2])) {
		return nil, ErrState
	}
	if len(parts[0]) > 0 {
		c.message = newBuffer(len(parts[0]))
		c.message.b = append(c.message.b, parts[0]...)
	}
	if c.windows != nil {
		c.windows.in, c.windows.out = bytes.Clone(parts[1]), bytes.Clone(parts[2])
	}
	return c, nil
}

// restorable reports whether a codec can have come to that state, with a message and
// windows of so many bytes.
func (c *Codec) restorable(message, in, out int) bool {
	d := c.deflate
	switch {
	case c.role > Client, c.op > Binary,
		d.Enabled && !d.valid(), !d.Enabled && (d != Deflate{} || c.compressed),
		c.op == Continuation && (c.compressed || message > 0),
		c.utf8.missing > 3, c.utf8.missing > 0 && (c.utf8.lo < 0x80 || c.utf8.hi > 0xbf):
		return false
	}
	return in <= windowSize(d.receiving(c.role)) && out <= windowSize(d.sending(c.role))
}

func windowSize(bits uint8, takeover bool) int {
	if !takeover {
		return 0
	}
	return 1 << bits
}

// pack returns the bits, the first one lowest.
func pack(bits ...bool) (b byte) {
	for i, set := range bits {
		if set {
			b |= 1 << i
		}
	}
	return b
}
