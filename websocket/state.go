package websocket

import (
	"encoding/binary"
	"errors"
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
	d := c.deflate
	dst = append(dst, stateVersion, byte(c.role),
		pack(c.dead, c.compressed, c.closed, c.message != nil, d.Enabled, d.ServerNoContextTakeover, d.ClientNoContextTakeover),
		d.ServerMaxWindowBits, d.ClientMaxWindowBits,
		byte(c.op), c.utf8.missing, c.utf8.lo, c.utf8.hi)
	dst = binary.AppendUvarint(dst, uint64(c.fragments))
	dst = binary.AppendUvarint(dst, uint64(c.seen))
	var message []byte
	if c.message != nil {
		message = c.message.b
	}
	for _, b := range [][]byte{message, c.in.bytes(), c.out.bytes()} {
		dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	}
	return dst
}

// RestoreCodec is the reverse of AppendState. o should have the settings that the state
// was made with; limits may differ and hold from then on. state comes from a process of
// the same program: it is checked for damage, not for malice.
func RestoreCodec(o *Options, state []byte) (*Codec, error) {
	const fixed = 9
	if len(state) < fixed || state[0] != stateVersion {
		return nil, ErrState
	}
	flags := state[2]
	has := func(bit int) bool { return flags&(1<<bit) != 0 }
	c := &Codec{
		options: o, role: Role(state[1]),
		dead: has(0), compressed: has(1), closed: has(2),
		deflate: Deflate{has(4), has(5), has(6), state[3], state[4]},
		op:      Opcode(state[5]),
		utf8:    utf8State{state[6], state[7], state[8]},
	}
	if c.role > Client || c.op > Binary || c.utf8.missing > 3 || c.deflate.Enabled && !c.deflate.valid() {
		return nil, ErrState
	}
	rest := state[fixed:]
	number := func() uint64 {
		v, n := binary.Uvarint(rest)
		if n <= 0 || v > 1<<31-1 {
			rest = nil
			return 0
		}
		rest = rest[n:]
		return v
	}
	c.fragments, c.seen = int32(number()), int(number())
	var parts [3][]byte
	for i := range parts {
		n := number()
		if rest == nil || n > uint64(len(rest)) {
			return nil, ErrState
		}
		parts[i], rest = rest[:n], rest[n:]
	}
	if len(rest) != 0 || len(parts[1]) > 1<<maxWindowBits || len(parts[2]) > 1<<maxWindowBits {
		return nil, ErrState
	}
	if has(3) {
		c.message = newBuffer(len(parts[0]))
		c.message.b = append(c.message.b, parts[0]...)
	}
	c.in, c.out = restoreWindow(parts[1]), restoreWindow(parts[2])
	return c, nil
}

func restoreWindow(b []byte) *window {
	if len(b) == 0 {
		return nil
	}
	return &window{b: append([]byte(nil), b...)}
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
