package websocket

// windows are the two sliding windows of a connection with context takeover: the end of
// all messages that were compressed, which the next one may refer to, RFC 7692 section
// 7.1.1. Compressor and decompressor are borrowed for one message each and get the window
// as a dictionary; it is all that a connection keeps. in belongs to the receiving side, out
// to the sending side.
type windows struct{ in, out []byte }

// inWindow returns what the next message of the peer may refer to.
func (c *Codec) inWindow() []byte {
	if c.windows == nil {
		return nil
	}
	return c.windows.in
}

// outWindow returns what the peer knows of our messages.
func (c *Codec) outWindow() []byte {
	if c.windows == nil {
		return nil
	}
	return c.windows.out
}

// slide returns the window w after message. It takes memory as messages fill it, 1<<bits
// bytes in the end.
func slide(w, message []byte, bits uint8) []byte {
	size := 1 << bits
	if len(message) >= size {
		return append(reserve(w[:0], size, size), message[len(message)-size:]...)
	}
	if over := len(w) + len(message) - size; over > 0 {
		w = w[:copy(w, w[over:])]
	}
	return append(reserve(w, len(w)+len(message), size), message...)
}

// reserve returns the content of w in a slice that holds n bytes and never more than size.
func reserve(w []byte, n, size int) []byte {
	if n <= cap(w) {
		return w
	}
	return append(make([]byte, 0, min(size, max(n, 2*cap(w)))), w...)
}
