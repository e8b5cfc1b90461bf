package websocket

import (
	"errors"
	"fmt"
	"testing"
)

// seen is an event in a form that can be compared and printed.
type seen struct {
	op   Opcode
	data string
	code int
}

func (s seen) String() string {
	data := s.data
	if len(data) > 80 {
		data = fmt.Sprintf("%s… (%d bytes)", data[:80], len(data))
	}
	return fmt.Sprintf("%v %d %q", s.op, s.code, data)
}

// feeder drives a codec as an event loop does: it lends what has arrived and keeps the
// rest for the next time.
type feeder struct {
	t      testing.TB
	c      *Codec
	kept   []byte
	events []seen
	err    error
	fed    int // bytes until the error
}

func newFeeder(t testing.TB, role Role, o *Options, d Deflate) *feeder {
	return &feeder{t: t, c: NewCodec(role, o, d)}
}

// feed lets bytes arrive in pieces of at most size bytes, 0 for one piece.
func (f *feeder) feed(input []byte, size int) {
	f.t.Helper()
	if size == 0 {
		size = len(input)
	}
	for len(input) > 0 && f.err == nil {
		n := min(size, len(input))
		// A new array each time: nothing may be remembered by address.
		buf := append(append(make([]byte, 0, len(f.kept)+n), f.kept...), input[:n]...)
		input = input[n:]
		f.fed += n
		f.receive(buf)
	}
}

func (f *feeder) receive(buf []byte) {
	f.t.Helper()
	for {
		ev, used, need, err := f.c.Next(buf)
		if used < 0 || used > len(buf) {
			f.t.Fatalf("used %d of %d bytes", used, len(buf))
		}
		buf = buf[used:]
		if err != nil {
			var closed *CloseError
			if !errors.As(err, &closed) || !validCloseCode(closed.Code) || ev.Op != Continuation {
				f.t.Fatalf("error %#v with event %v", err, ev.Op)
			}
			f.err, f.kept = err, nil
			return
		}
		if ev.Op == Continuation {
			if need != 0 && need <= len(buf) {
				f.t.Fatalf("needs %d bytes and has %d", need, len(buf))
			}
			f.kept = buf
			return
		}
		f.events = append(f.events, seen{ev.Op, string(ev.Data), ev.Code})
		// The data is the receiver's until the next call.
		for i := range ev.Data {
			ev.Data[i] = 0xdb
		}
	}
}

// code returns the code that the input was refused with, 0 if it was not.
func (f *feeder) code() int {
	var closed *CloseError
	if errors.As(f.err, &closed) {
		return closed.Code
	}
	return 0
}

// frames is input in the making: frames as a peer of role sends them.
type frames struct {
	role Role
	b    []byte
}

func (f *frames) add(fin bool, rsv uint8, op Opcode, payload string) {
	h := Header{Fin: fin, RSV: rsv, Op: op}
	if f.role == Client {
		h.Masked, h.Key = true, [4]byte{0x37, 0xfa, 0x21, byte(len(f.b))}
	}
	f.b = AppendFrame(f.b, h, []byte(payload))
}

func other(role Role) Role {
	if role == Server {
		return Client
	}
	return Server
}

func equalEvents(a, b []seen) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
