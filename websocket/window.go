package websocket

// window is the sliding window of one direction: the end of all messages that were
// compressed, which the next one may refer to, RFC 7692 section 7.1.1. Compressor and
// decompressor are borrowed for one message each and get the window as a dictionary; it
// is all that a connection keeps.
type window struct{ b []byte }

// grown returns the window after message. It takes memory as messages fill it, 1<<bits
// bytes in the end. w may be nil.
func (w *window) grown(message []byte, bits uint8) *window {
	size := 1 << bits
	if w == nil {
		w = &window{}
	}
	if len(message) >= size {
		w.b = append(w.reserved(size, size)[:0], message[len(message)-size:]...)
		return w
	}
	if over := len(w.b) + len(message) - size; over > 0 {
		w.b = w.b[:copy(w.b, w.b[over:])]
	}
	w.b = append(w.reserved(len(w.b)+len(message), size), message...)
	return w
}

// reserved returns the content in a slice that holds n bytes and never more than size.
func (w *window) reserved(n, size int) []byte {
	if n <= cap(w.b) {
		return w.b
	}
	return append(make([]byte, 0, min(size, max(n, 2*cap(w.b)))), w.b...)
}

func (w *window) bytes() []byte {
	if w == nil {
		return nil
	}
	return w.b
}
