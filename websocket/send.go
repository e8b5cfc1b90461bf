package websocket

import "errors"

// ErrOpcode is returned for an opcode that the method cannot send.
var ErrOpcode = errors.New("websocket: wrong opcode")

// ErrControlSize is returned for a ping or pong with more than MaxControlSize bytes.
var ErrControlSize = errors.New("websocket: control frame of more than 125 bytes")

// AppendMessage appends data as one message to dst: one frame, masked by a client,
// compressed if that was agreed on, data reaches Compression.Threshold and becomes
// smaller by it. op is Text or Binary. Text has to be UTF-8, which is not checked, as it
// is the program's own. data must not overlap with what append to dst writes.
func (c *Codec) AppendMessage(dst []byte, op Opcode, data []byte) ([]byte, error) {
	switch {
	case c.closed:
		return dst, ErrCloseSent
	case op != Text && op != Binary:
		return dst, ErrOpcode
	}
	if c.compresses(len(data)) {
		if out, ok := c.appendDeflated(dst, op, data); ok {
			return out, nil
		}
	}
	return AppendFrame(dst, c.header(op), data), nil
}

// AppendHead appends to dst what has to be sent before data, so that large data need not
// be copied. It is false, and appends nothing, if data has to be changed on its way,
// masked or compressed, or if nothing may be sent any more: then AppendMessage is the way.
func (c *Codec) AppendHead(dst []byte, op Opcode, size int) ([]byte, bool) {
	if c.closed || c.role == Client || op != Text && op != Binary || c.compresses(size) {
		return dst, false
	}
	h := c.header(op)
	h.Size = int64(size)
	return h.Append(dst), true
}

// AppendControl appends a Ping or a Pong to dst. The answer to a ping is a pong with the
// same data, RFC 6455 section 5.5.3.
func (c *Codec) AppendControl(dst []byte, op Opcode, data []byte) ([]byte, error) {
	switch {
	case c.closed:
		return dst, ErrCloseSent
	case op != Ping && op != Pong:
		return dst, ErrOpcode
	case len(data) > MaxControlSize:
		return dst, ErrControlSize
	}
	return AppendFrame(dst, c.header(op), data), nil
}

// AppendClose appends a close frame to dst, after which nothing can be sent. The answer to
// a Close event carries its Code; CloseNoStatus makes a frame without a code. A reason
// above 123 bytes is cut. A code that no frame may carry is sent as CloseInternalError,
// because a connection has to close in any case. A second close frame is ErrCloseSent.
func (c *Codec) AppendClose(dst []byte, code int, reason string) ([]byte, error) {
	if c.closed {
		return dst, ErrCloseSent
	}
	c.closed = true
	if c.windows != nil {
		c.windows.out = nil
	}
	if code != CloseNoStatus && !validCloseCode(code) {
		code = CloseInternalError
	}
	var payload [MaxControlSize]byte
	return AppendFrame(dst, c.header(Close), appendClosePayload(payload[:0], code, reason)), nil
}

// header returns the header of a frame that is a whole message.
func (c *Codec) header(op Opcode) Header {
	h := Header{Fin: true, Op: op}
	if c.role == Client {
		h.Masked, h.Key = true, c.options.newMask()
	}
	return h
}

// compresses reports whether a message of size bytes is worth an attempt.
func (c *Codec) compresses(size int) bool {
	return c.deflate.Enabled && size >= c.options.Compression.threshold()
}
