package loop

import "sync"

// inBuffer holds received bytes that the owner has not consumed.
type inBuffer struct {
	b    []byte
	want int // size of the message that b begins with, 0 if unknown
}

// ownRead is how many missing bytes make it worth reading straight into a stream's
// own buffer; fewer are read behind a copy of the rest in the loop's buffer.
const ownRead = 16 << 10

const smallInput = 1 << 10

var inBuffers = sync.Pool{New: func() any { return &inBuffer{b: make([]byte, 0, smallInput)} }}

// fill reads once and hands over what is there. filled says that the buffer was used
// up, so that there may be more.
func (s *Stream) fill() (filled bool, err error) {
	if t := s.tls(); t != nil && t.hs != nil {
		return s.fillHandshake(t)
	}
	if s.layers != nil {
		if filled, err, ok := s.fillPipe(); ok {
			return filled, err
		}
	}
	var n int
	in := s.in
	if in != nil && (in.want-len(in.b) >= ownRead || len(in.b) >= ownRead) {
		in = s.grow()
		room := in.b[len(in.b):cap(in.b)]
		if in.want > len(in.b) {
			room = room[:min(len(room), in.want-len(in.b))]
		}
		if n, err = s.read(room); err != nil {
			return false, err
		}
		in.b = in.b[:len(in.b)+n]
		if len(in.b) >= in.want {
			s.redeliver()
		}
		return s.mayHoldMore(n, room), nil
	}
	buf, kept := s.loop.read, 0
	if in != nil {
		kept = copy(buf, in.b)
	}
	if n, err = s.read(buf[kept:]); err != nil {
		return false, err
	}
	b := buf[:kept+n]
	used, want := s.owner.Receive(b)
	if checking {
		checkReceived(len(b), used, want)
	}
	s.keep(b[used:], want)
	return s.mayHoldMore(n, buf[kept:]), nil
}

// read reads once, from the socket or from the records that it brought.
func (s *Stream) read(p []byte) (n int, err error) {
	if t := s.tls(); t != nil {
		return t.read(p)
	}
	if n, err = s.sysRead(p); err == nil {
		s.arrived(n)
	}
	return n, err
}

// mayHoldMore reports whether more may be there than the n bytes that a read put into p.
func (s *Stream) mayHoldMore(n int, p []byte) bool {
	if t := s.tls(); t != nil {
		return t.more || !s.loop.dry
	}
	return n == len(p)
}

// arrived notes n bytes until the end of the burst.
func (s *Stream) arrived(n int) { s.loop.arrived += uint64(n) }

// grow makes room for at least one more read in the own buffer and returns it. A message
// of known size gets a buffer of that size, but not all at once: the peer has to send a
// quarter before it is believed.
func (s *Stream) grow() *inBuffer {
	in := s.in
	if cap(in.b)-len(in.b) >= ownRead || in.want > 0 && cap(in.b) >= in.want {
		return in
	}
	size := max(2*len(in.b), readBufferSize)
	if in.want > 0 {
		size = min(2*size, in.want)
	}
	bigger := &inBuffer{b: append(make([]byte, 0, size), in.b...), want: in.want}
	s.dropInput()
	s.in = bigger
	return bigger
}

// redeliver hands the kept bytes over again.
func (s *Stream) redeliver() {
	in := s.in
	used, want := s.owner.Receive(in.b)
	if checking {
		checkReceived(len(in.b), used, want)
	}
	if used == 0 && s.in == in {
		in.want = want
		return
	}
	s.keep(in.b[used:], want)
}

// keep holds on to rest, which may lie in the loop's buffer or in the stream's own.
func (s *Stream) keep(rest []byte, want int) {
	if t := s.tls(); t != nil && t.hs != nil && s.isOpen() {
		t.feed(rest) // StartTLS was called meanwhile
		rest = nil
	}
	if len(rest) == 0 || !s.isOpen() {
		s.dropInput()
		return
	}
	if s.in == nil {
		s.in = inBuffers.Get().(*inBuffer)
	}
	s.in.want = want
	if n := cap(s.in.b); len(rest) > n || n > readBufferSize && len(rest) <= smallInput {
		s.in = &inBuffer{b: make([]byte, 0, len(rest)), want: want}
	}
	s.in.b = append(s.in.b[:0], rest...)
}

// dropInput forgets the kept bytes; large buffers go to the collector.
func (s *Stream) dropInput() {
	if s.in != nil && cap(s.in.b) == smallInput {
		s.in.b, s.in.want = s.in.b[:0], 0
		inBuffers.Put(s.in)
	}
	s.in = nil
}
