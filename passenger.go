package workerman

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
)

// passenger is a connection on its way to another process, apart from its socket: everything
// that the new process needs to go on as if nothing had happened. Times are ages in milliseconds,
// because each loop has a clock of its own.
type passenger struct {
	key    string // of the worker
	id     uint64
	speaks language
	// own says that the connection has a protocol of its own, which OnAdopt has to set.
	own            bool
	remote, client netip.AddrPort // client is that of the PROXY protocol
	paused         bool           // by PauseRecv
	full           bool           // of answers of HTTP: no request is taken until they are written
	age, idle      int64

	bytesIn, bytesOut, sends, received uint64

	maxPackage, maxSend int64 // limits of its own, 0 if it has none

	uid    string
	groups []string

	stateful bool   // state is that of a StateMover
	state    []byte // of the protocol, of the codec, or of the parser

	subprotocol string // of a WebSocket
	pinged      int64  // milliseconds from the last input to a ping after it, 0 without one

	phase   httpPhase // of HTTP
	since   int64
	arrived uint64

	handed bool   // OnHandover has given data
	data   []byte // for OnAdopt

	input, output []byte
}

// language is what a connection speaks.
type language byte

const (
	speaksProtocol  language = iota // a Protocol, or bytes as they come
	speaksHTTP                      // between requests or in one that has not arrived completely
	speaksWebSocket                 // after its handshake
)

// passengerVersion is the first byte of the binary form. A process refuses versions that it
// does not know, and the connection then ends with its old process.
const passengerVersion = 1

// errPassenger is what is wrong with a binary form.
var errPassenger = errors.New("damaged state of a connection")

// append appends the binary form. Output is in pieces and so comes apart.
func (p *passenger) append(dst []byte, output [][]byte) []byte {
	dst = append(dst, passengerVersion, byte(p.speaks), byte(p.phase), bits(p.own, p.paused, p.full, p.stateful, p.handed))
	for _, n := range p.numbers() {
		dst = binary.AppendUvarint(dst, *n)
	}
	for _, n := range p.ages() {
		dst = binary.AppendVarint(dst, *n)
	}
	dst = appendString(dst, p.key)
	dst = appendAddress(dst, p.remote)
	dst = appendAddress(dst, p.client)
	dst = appendString(dst, p.uid)
	dst = appendString(dst, p.subprotocol)
	dst = binary.AppendUvarint(dst, uint64(len(p.groups)))
	for _, g := range p.groups {
		dst = appendString(dst, g)
	}
	dst = appendString(dst, p.state)
	dst = appendString(dst, p.data)
	dst = appendString(dst, p.input)
	size := len(p.output)
	for _, piece := range output {
		size += len(piece)
	}
	dst = append(binary.AppendUvarint(dst, uint64(size)), p.output...)
	for _, piece := range output {
		dst = append(dst, piece...)
	}
	return dst
}

// numbers and ages are the fields that are numbers, in the order of the binary form.
func (p *passenger) numbers() []*uint64 {
	return []*uint64{&p.id, &p.bytesIn, &p.bytesOut, &p.sends, &p.received, &p.arrived}
}

func (p *passenger) ages() []*int64 {
	return []*int64{&p.age, &p.idle, &p.pinged, &p.since, &p.maxPackage, &p.maxSend}
}

// readPassenger reads the binary form, and refers to its memory.
func readPassenger(b []byte) (*passenger, error) {
	const fixed = 4
	if len(b) < fixed || b[0] != passengerVersion || b[1] > byte(speaksWebSocket) || b[2] > byte(httpBody) || b[3] >= 1<<5 {
		return nil, errPassenger
	}
	p := &passenger{speaks: language(b[1]), phase: httpPhase(b[2])}
	for i, flag := range []*bool{&p.own, &p.paused, &p.full, &p.stateful, &p.handed} {
		*flag = b[3]&(1<<i) != 0
	}
	r := stateReader{rest: b[fixed:]}
	for _, n := range p.numbers() {
		*n = r.number()
	}
	for _, n := range p.ages() {
		*n = r.signed()
	}
	p.key = string(r.part())
	p.remote, p.client = r.address(), r.address()
	p.uid, p.subprotocol = string(r.part()), string(r.part())
	for n := r.number(); n > 0 && !r.damaged; n-- {
		p.groups = append(p.groups, string(r.part()))
	}
	p.state, p.data, p.input, p.output = r.part(), r.part(), r.part(), r.part()
	if r.damaged || len(r.rest) > 0 {
		return nil, errPassenger
	}
	return p, nil
}

// stateReader reads numbers and parts from the front of rest.
type stateReader struct {
	rest    []byte
	damaged bool
}

func (r *stateReader) number() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.advance(n)
	return v
}

func (r *stateReader) signed() int64 {
	v, n := binary.Varint(r.rest)
	r.advance(n)
	if v < -maxAge || v > maxAge {
		r.damaged = true
	}
	return v
}

// maxAge keeps sums of ages and times away from the ends of their type.
const maxAge = math.MaxInt64 / 4

// advance drops n bytes; n is at most 0 if there was no number.
func (r *stateReader) advance(n int) {
	if n <= 0 {
		r.damaged, r.rest = true, nil
		return
	}
	r.rest = r.rest[n:]
}

// part is a string of bytes behind its length, with no room to grow into what follows.
func (r *stateReader) part() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.damaged = true
		return nil
	}
	p := r.rest[:n:n]
	r.rest = r.rest[n:]
	return p
}

func (r *stateReader) address() (a netip.AddrPort) {
	if b := r.part(); len(b) > 0 && (a.UnmarshalBinary(b) != nil || !a.IsValid()) {
		r.damaged = true
	}
	return a
}

func appendString[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendAddress(dst []byte, a netip.AddrPort) []byte {
	if !a.IsValid() {
		return append(dst, 0)
	}
	b, _ := a.MarshalBinary() // which never fails
	return appendString(dst, b)
}

// bits puts flags into a byte, the first one lowest.
func bits(flags ...bool) (b byte) {
	for i, set := range flags {
		if set {
			b |= 1 << i
		}
	}
	return b
}
