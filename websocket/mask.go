package websocket

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// Mask masks or unmasks p in place, RFC 6455 section 5.3. offset is the position of p in
// the payload, so that a payload can be unmasked as it arrives.
func Mask(p []byte, key [4]byte, offset int) {
	k := binary.LittleEndian.Uint32(key[:])
	k = bits.RotateLeft32(k, -8*(offset&3))
	wide := uint64(k)<<32 | uint64(k)
	// Eight bytes a step, and eight steps without a bounds check or a branch between.
	for len(p) >= 64 {
		b := p[:64:64]
		binary.LittleEndian.PutUint64(b[0:], binary.LittleEndian.Uint64(b[0:])^wide)
		binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(b[8:])^wide)
		binary.LittleEndian.PutUint64(b[16:], binary.LittleEndian.Uint64(b[16:])^wide)
		binary.LittleEndian.PutUint64(b[24:], binary.LittleEndian.Uint64(b[24:])^wide)
		binary.LittleEndian.PutUint64(b[32:], binary.LittleEndian.Uint64(b[32:])^wide)
		binary.LittleEndian.PutUint64(b[40:], binary.LittleEndian.Uint64(b[40:])^wide)
		binary.LittleEndian.PutUint64(b[48:], binary.LittleEndian.Uint64(b[48:])^wide)
		binary.LittleEndian.PutUint64(b[56:], binary.LittleEndian.Uint64(b[56:])^wide)
		p = p[64:]
	}
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^wide)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= byte(wide)
		wide >>= 8
	}
}

// randomMask returns a mask that the peer and whoever makes the client send a message
// cannot foresee, as RFC 6455 section 10.3 asks for. The package functions of
// math/rand/v2 draw from the runtime's ChaCha8 generators, which the system's random
// source seeds; reading that source for each frame would cost a system call.
func randomMask() (key [4]byte) {
	binary.LittleEndian.PutUint32(key[:], rand.Uint32())
	return key
}
