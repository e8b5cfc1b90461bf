package handover

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// State is what a connection consists of apart from its socket: everything that the new process
// needs to go on as if nothing had happened. Times are ages in milliseconds, because each loop has
// a clock of its own.
type State struct {
	// Key names the worker that the connection belongs to.
	Key string
	// ID is the number of the connection, which it keeps.
	ID uint64
	// Language is what the connection speaks.
	Language Language
	// OwnProtocol says that the connection has another protocol than its worker. The new process
	// has to set it.
	OwnProtocol bool
	// Remote is the address of the peer; Client is the one that the PROXY protocol told, if any.
	Remote, Client netip.AddrPort
	// Paused says that the program has paused reading.
	Paused bool
	// Full says that answers fill the send buffer, so that no request is taken until they are
	// written.
	Full bool
	// Age is the time since the connection was accepted, Idle the time since it received something.
	Age, Idle int64

	// These are the counters of the connection.
	BytesIn, BytesOut, Sends, Received uint64

	// MaxPackage and MaxSend are limits of the connection's own, 0 if it has none.
	MaxPackage, MaxSend int64

	// UID is the user that the connection is bound to, Groups is what it has joined.
	UID    string
	Groups []string

	// Stateful says that Codec is the state of a Protocol, which has one.
	Stateful bool
	// Codec is the state of the Protocol, the parser of HTTP or the codec of a WebSocket.
	Codec []byte

	// Subprotocol is what a WebSocket has agreed on.
	Subprotocol string
	// Pinged is the time from the last input of a WebSocket to a ping after it, 0 without one.
	Pinged int64

	// Phase is what a connection of HTTP waits for, Since the age of that, Arrived the bytes of
	// the body that have come.
	Phase   Phase
	Since   int64
	Arrived uint64

	// Handed says that the program of the old process has given Data for that of the new one.
	Handed bool
	Data   []byte

	// Input was received and not consumed. Output was sent and not written; it may lie in several
	// buffers, and ReadState makes one of it.
	Input  []byte
	Output [][]byte
}

// Language is what a connection speaks. The numbers are part of the binary form.
type Language byte

const (
	// Protocol stands for a Protocol, or for bytes as they come.
	Protocol Language = iota
	// HTTP stands for a connection between two requests, or in one that has not arrived yet.
	HTTP
	// WebSocket stands for a connection behind its handshake.
	WebSocket
)

// Phase is what a connection of HTTP waits for. The numbers are part of the binary form.
type Phase byte

const (
	// Idle is the time between two requests.
	Idle Phase = iota
	// Head is the time until the head of a request is complete.
	Head
	// Body is the time until the body of a request is complete.
	Body
)

// version is the first byte of the binary form. A process refuses versions that it does not know,
// and the connection then ends with its old process.
const version = 1

// fixed is how many bytes the binary form has at least: version, language, phase, flags.
const fixed = 4

// errState is what is wrong with a binary form.
var errState = errors.New("damaged state of a connection")

// Append appends the binary form of the state to dst and returns the result.
func (s *State) Append(dst []byte) []byte {
	dst = append(dst, version, byte(s.Language), byte(s.Phase), s.flags())
	for _, n := range s.counters() {
		dst = binary.AppendUvarint(dst, *n)
	}
	for _, n := range s.numbers() {
		dst = binary.AppendVarint(dst, *n)
	}
	dst = appendPart(dst, s.Key)
	dst = appendAddress(dst, s.Remote)
	dst = appendAddress(dst, s.Client)
	dst = appendPart(dst, s.UID)
	dst = appendPart(dst, s.Subprotocol)
	dst = binary.AppendUvarint(dst, uint64(len(s.Groups)))
	for _, g := range s.Groups {
		dst = appendPart(dst, g)
	}
	dst = appendPart(dst, s.Codec)
	dst = appendPart(dst, s.Data)
	dst = appendPart(dst, s.Input)
	size := 0
	for _, piece := range s.Output {
		size += len(piece)
	}
	dst = binary.AppendUvarint(dst, uint64(size))
	for _, piece := range s.Output {
		dst = append(dst, piece...)
	}
	return dst
}

// ReadState reads the binary form, and refers to the memory of b. It returns an error if b is
// damaged or of a version that it does not know.
func ReadState(b []byte) (*State, error) {
	if len(b) < fixed || b[0] != version || b[1] > byte(WebSocket) || b[2] > byte(Body) {
		return nil, errState
	}
	s := &State{Language: Language(b[1]), Phase: Phase(b[2])}
	if !s.setFlags(b[3]) {
		return nil, errState
	}
	r := reader{rest: b[fixed:]}
	for _, n := range s.counters() {
		*n = r.counter()
	}
	for _, n := range s.numbers() {
		*n = r.number()
	}
	s.Key = string(r.part())
	s.Remote, s.Client = r.address(), r.address()
	s.UID, s.Subprotocol = string(r.part()), string(r.part())
	for n := r.counter(); n > 0 && !r.damaged; n-- {
		s.Groups = append(s.Groups, string(r.part()))
	}
	s.Codec, s.Data, s.Input = r.part(), r.part(), r.part()
	if output := r.part(); len(output) > 0 {
		s.Output = [][]byte{output}
	}
	if r.damaged || len(r.rest) > 0 {
		return nil, errState
	}
	return s, nil
}

// counters are the fields without a sign, in the order of the binary form.
func (s *State) counters() [6]*uint64 {
	return [...]*uint64{&s.ID, &s.BytesIn, &s.BytesOut, &s.Sends, &s.Received, &s.Arrived}
}

// numbers are the fields with a sign, in the order of the binary form.
func (s *State) numbers() [6]*int64 {
	return [...]*int64{&s.Age, &s.Idle, &s.Pinged, &s.Since, &s.MaxPackage, &s.MaxSend}
}

// switches are the fields that are true or false, from the lowest bit up.
func (s *State) switches() [5]*bool {
	return [...]*bool{&s.OwnProtocol, &s.Paused, &s.Full, &s.Stateful, &s.Handed}
}

// flags returns the switches as bits.
func (s *State) flags() (b byte) {
	for i, on := range s.switches() {
		if *on {
			b |= 1 << i
		}
	}
	return b
}

// setFlags sets the switches by their bits; it returns false if there are unknown ones.
func (s *State) setFlags(b byte) bool {
	all := s.switches()
	for i, on := range all {
		*on = b&(1<<i) != 0
	}
	return b>>len(all) == 0
}
