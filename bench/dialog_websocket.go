package main

import (
	"encoding/binary"
)

// The opcodes and bits of RFC 6455, section 5.2, and RFC 7692, section 6.
const (
	textFrame   = 1
	binaryFrame = 2
	finBit      = 1 << 7
	deflateBit  = 1 << 6
	maskBit     = 1 << 7
)

// frameVariants is how many different bursts of frames there are.
const frameVariants = 32

// appendFrameHead appends the first bytes of a frame of less than 64 KiB.
func appendFrameHead(dst []byte, first byte, mask byte, size int) []byte {
	if size < 126 {
		return append(dst, first, mask|byte(size))
	}
	return binary.BigEndian.AppendUint16(append(dst, first, mask|126), uint16(size))
}

// appendServerFrame appends a frame as a server sends it.
func appendServerFrame(dst []byte, first byte, payload []byte) []byte {
	return append(appendFrameHead(dst, first, 0, len(payload)), payload...)
}

// appendClientFrame appends a frame as a client sends it. The mask is different
// for each key, but not secret: nothing here has to be kept from proxies.
func appendClientFrame(dst []byte, first byte, payload []byte, key uint32) []byte {
	dst = appendFrameHead(dst, first, maskBit, len(payload))
	var mask [4]byte
	binary.LittleEndian.PutUint32(mask[:], key*2654435761+1)
	dst = append(dst, mask[:]...)
	for i, b := range payload {
		dst = append(dst, b^mask[i%4])
	}
	return dst
}

// newWebSocketDialog is for binary messages, each echoed as one frame.
func newWebSocketDialog(size, depth int) *exactDialog {
	pattern := newPattern(size)
	d := &exactDialog{}
	for v := range frameVariants {
		var out, want []byte
		for k := range depth {
			number := v*depth + k
			shift := number % patternShifts
			payload := pattern[shift : shift+size]
			out = appendClientFrame(out, finBit|binaryFrame, payload, uint32(number))
			want = appendServerFrame(want, finBit|binaryFrame, payload)
		}
		d.out, d.want = append(d.out, out), append(d.want, want)
	}
	return d
}
