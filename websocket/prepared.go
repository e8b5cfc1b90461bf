package websocket

import "sync"

// Prepared is a message that is framed once for many connections, and compressed once
// for each way to compress that they agreed on. It may be used on any goroutine.
type Prepared struct {
	op    Opcode
	data  []byte
	plain []byte

	mu     sync.Mutex
	packed []packedFrame
}

// packedFrame is a message compressed in one way. An empty frame means that it would not
// be smaller.
type packedFrame struct {
	class deflateClass
	frame []byte
}

// NewPrepared frames data, which it copies, as a message. op is Text or Binary; another
// one is ErrOpcode.
func NewPrepared(op Opcode, data []byte) (*Prepared, error) {
	if op != Text && op != Binary {
		return nil, ErrOpcode
	}
	plain := AppendFrame(make([]byte, 0, maxHeaderSize+len(data)), Header{Fin: true, Op: op}, data)
	return &Prepared{op: op, data: plain[len(plain)-len(data):], plain: plain}, nil
}

// Frame returns the bytes to send on c's connection, which are shared and must not be
// changed. It belongs to the sending side of c, and the bytes have to be sent, as with
// context takeover they are part of what c's later messages refer to. It is false if c
// cannot share, because clients mask each frame anew, or sends nothing any more; then
// there is AppendMessage.
//
// The compressed form refers to no earlier message, so that connections with context
// takeover share it with those without.
func (p *Prepared) Frame(c *Codec) ([]byte, bool) {
	if c.closed || c.role == Client {
		return nil, false
	}
	if !c.compresses(len(p.data)) {
		return p.plain, true
	}
	class := c.deflateClass()
	frame := p.deflated(class)
	if len(frame) == 0 {
		return p.plain, true
	}
	if bits, takeover := c.deflate.sending(c.role); takeover && !class.stateless {
		c.windows.out = slide(c.windows.out, p.data, bits)
	}
	return frame, true
}

// Data returns the message, which must not be changed.
func (p *Prepared) Data() (Opcode, []byte) { return p.op, p.data }

func (p *Prepared) deflated(class deflateClass) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.packed {
		if f.class == class {
			return f.frame
		}
	}
	h := Header{Fin: true, RSV: rsv1, Op: p.op, Size: int64(len(p.data))}
	frame, _ := class.appendFrame(nil, h, p.data, nil)
	p.packed = append(p.packed, packedFrame{class, frame})
	return frame
}
