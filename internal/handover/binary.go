package handover

import (
	"encoding/binary"
	"math"
	"net/netip"
)

// maxNumber keeps sums of ages and times away from the ends of their type.
const maxNumber = math.MaxInt64 / 4

// reader reads numbers and parts from the front of rest. Once something was damaged, what it
// returns means nothing.
type reader struct {
	rest    []byte
	damaged bool
}

func (r *reader) counter() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.advance(n)
	return v
}

func (r *reader) number() int64 {
	v, n := binary.Varint(r.rest)
	r.advance(n)
	if v < -maxNumber || v > maxNumber {
		r.damaged = true
	}
	return v
}

// advance drops n bytes; n is at most 0 if there was no number.
func (r *reader) advance(n int) {
	if n <= 0 {
		r.damaged, r.rest = true, nil
		return
	}
	r.rest = r.rest[n:]
}

// part is a string of bytes behind its length, with no room to grow into what follows.
func (r *reader) part() []byte {
	n := r.counter()
	if n > uint64(len(r.rest)) {
		r.damaged = true
		return nil
	}
	p := r.rest[:n:n]
	r.rest = r.rest[n:]
	return p
}

// address is one that appendAddress wrote. Something that is no address with an IP is damage.
func (r *reader) address() (a netip.AddrPort) {
	if b := r.part(); len(b) > 0 && (a.UnmarshalBinary(b) != nil || !a.IsValid()) {
		r.damaged = true
	}
	return a
}

// appendPart appends s behind its length.
func appendPart[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendAddress appends a as a part, which is empty if there is no address.
func appendAddress(dst []byte, a netip.AddrPort) []byte {
	if !a.IsValid() {
		return append(dst, 0)
	}
	b, _ := a.MarshalBinary() // it never fails
	return appendPart(dst, b)
}
