package websocket

// Event is what Next found in the input.
type Event struct {
	// Op is Text or Binary for a message, Ping, Pong or Close, and Continuation, which is
	// 0, if there is no event.
	Op Opcode
	// Data is the message, the payload of the ping or pong, or the reason of the close.
	// It is lent until the next call of Next or Release, and may be changed till then.
	Data []byte
	// Code is the code of a close, CloseNoStatus if it came without one.
	Code int
}

// Codec is the WebSocket protocol of one connection after its handshake. It is to be made
// by NewCodec and must not be copied.
type Codec struct {
	options *Options
	message *buffer  // what is received: fragments, or the data that is lent; usually nil
	windows *windows // nil without context takeover

	// Of the receiving side. The order of the fields leaves no gaps.
	fragments  int32 // how many the message that arrives has until now
	seen       int32 // bytes of the first frame's payload that are unmasked and checked
	deflate    Deflate
	role       Role
	dead       bool      // a close frame or an error was the last of the input
	lent       bool      // message holds the data of the last event
	compressed bool      // the message that arrives is compressed
	op         Opcode    // kind of the message whose fragments arrive, 0 between messages
	utf8       utf8State // place in the text that arrives

	// Of the sending side.
	closed bool // a close frame was sent
}

// NewCodec returns the codec of a connection. d is the compression that the handshake
// agreed on: Agreement.Deflate.
func NewCodec(role Role, o *Options, d Deflate) *Codec {
	c := &Codec{options: o, role: role, deflate: d}
	if d.Enabled && !(d.ServerNoContextTakeover && d.ClientNoContextTakeover) {
		c.windows = &windows{}
	}
	return c
}

// Next takes the next event from buf, which holds all received bytes that were not used
// yet. used is how many it used now, with or without an event. Without an event more
// bytes are needed: the next buf has to begin with buf[used:] as Next left it, because the
// part of a frame that is there has been unmasked in place. need is the size in bytes of
// the frame that begins at buf[used:], 0 if that is not known; it tells how large a
// buffer is worth having.
//
// An error is a *CloseError and final. Frames are checked in the order of RFC 6455
// section 5.2: reserved bits, opcode and mask as soon as two bytes are there, the length
// against MaxMessageSize before any byte of the payload. The text of a message that is
// not compressed is checked as UTF-8 as it arrives, be its frame complete or not, and
// fails at the first impossible byte; compressed text is checked when it is inflated.
//
// Control frames come between the fragments of a message, in the order they arrived.
// After a close frame or an error all input is used and ignored.
func (c *Codec) Next(buf []byte) (ev Event, used, need int, err error) {
	if c.lent {
		c.free()
	}
	for !c.dead {
		rest := buf[used:]
		if len(rest) < 2 {
			return Event{}, used, 0, nil
		}
		h := startOfHeader(rest)
		if err := c.admit(&h); err != nil {
			return c.fail(buf, err)
		}
		n, err := h.rest(rest)
		if err != nil {
			return c.fail(buf, err)
		}
		if n == 0 {
			return Event{}, used, 0, nil
		}
		if limit := c.room(&h); h.Size > limit {
			return c.fail(buf, tooBig(c.options.maxMessageSize()))
		}
		// The length is below a limit that is an int, so that it fits into one.
		size := int(h.Size)
		end := n + size
		if h.Op.control() {
			if len(rest) < end {
				return Event{}, used, end, nil
			}
			payload := rest[n:end:end]
			if h.Masked {
				Mask(payload, h.Key, 0)
			}
			if ev, err = c.control(h.Op, payload); err != nil {
				return c.fail(buf, err)
			}
			return ev, used + end, 0, nil
		}
		payload := rest[n:min(end, len(rest)):min(end, len(rest))]
		if err := c.uncover(&h, payload); err != nil {
			return c.fail(buf, err)
		}
		if len(rest) < end {
			return Event{}, used, end, nil
		}
		used += end
		ev, err := c.data(&h, payload)
		if err != nil {
			return c.fail(buf, err)
		}
		if ev.Op != Continuation {
			return ev, used, 0, nil
		}
	}
	return Event{}, len(buf), 0, nil
}

// Release gives all buffers back and ends the receiving side. It is for the end of a
// connection; between messages there is nothing to give back after a call of Next that
// returned no event.
func (c *Codec) Release() { c.drop() }

// InMessage reports whether the fragments of a message, or a part of a frame that is
// already unmasked, wait for the rest.
func (c *Codec) InMessage() bool { return c.op != Continuation || c.seen > 0 }

// Deflate returns the compression that the codec was made with.
func (c *Codec) Deflate() Deflate { return c.deflate }

func (c *Codec) fail(buf []byte, err error) (Event, int, int, error) {
	c.drop()
	return Event{}, len(buf), 0, err
}

// free gives back the message that is put together or lent.
func (c *Codec) free() {
	c.message.release()
	c.message, c.lent = nil, false
}

// drop ends the receiving side.
func (c *Codec) drop() {
	c.free()
	if c.windows != nil {
		c.windows.in = nil
	}
	c.dead, c.op, c.compressed, c.seen = true, Continuation, false, 0
}

// admit checks what the first two bytes of a frame tell.
func (c *Codec) admit(h *Header) error {
	switch {
	case h.RSV&^rsv1 != 0:
		return protocolError("reserved bits are set")
	case h.RSV != 0 && (!c.deflate.Enabled || h.Op != Text && h.Op != Binary):
		return protocolError("RSV1 is set")
	case !h.Op.known():
		return protocolError("reserved opcode")
	case h.Masked != (c.role == Server):
		if c.role == Server {
			return protocolError("frame of a client without a mask")
		}
		return protocolError("masked frame of a server")
	case h.Op == Continuation && c.op == Continuation:
		return protocolError("continuation of no message")
	case (h.Op == Text || h.Op == Binary) && c.op != Continuation:
		return protocolError("new message before the end of the last")
	}
	return nil
}

// room returns the largest payload that the frame may have.
func (c *Codec) room(h *Header) int64 {
	if h.Op.control() {
		return MaxControlSize
	}
	limit := c.limit(h.RSV != 0 || h.Op == Continuation && c.compressed)
	if c.message != nil {
		limit -= len(c.message.b)
	}
	return int64(limit)
}

// limit returns how large a message may be as it arrives.
func (c *Codec) limit(compressed bool) int {
	limit := c.options.maxMessageSize()
	if compressed {
		// What cannot be compressed grows a little: by an eighth with the worst compressor.
		limit += limit/8 + 64
	}
	return limit
}

// control makes an event of a control frame.
func (c *Codec) control(op Opcode, payload []byte) (Event, error) {
	if op != Close {
		return Event{Op: op, Data: payload}, nil
	}
	code, reason, err := parseClose(payload)
	if err != nil {
		return Event{}, err
	}
	c.drop()
	return Event{Op: Close, Data: reason, Code: code}, nil
}

// uncover unmasks and checks the part of a data frame's payload that is new.
func (c *Codec) uncover(h *Header, payload []byte) error {
	seen := int(c.seen)
	if len(payload) < seen {
		return &CloseError{CloseInternalError, "input was lost between two calls of Next"}
	}
	fresh := payload[seen:]
	if h.Masked {
		Mask(fresh, h.Key, seen)
	}
	text := h.Op == Text && h.RSV == 0 || h.Op == Continuation && c.op == Text && !c.compressed
	if text {
		var valid bool
		if c.utf8, valid = c.utf8.next(fresh); !valid {
			return invalidData("text is not UTF-8")
		}
	}
	c.seen = int32(len(payload))
	return nil
}

// data takes a data frame that is complete. The event is empty if the message is not.
func (c *Codec) data(h *Header, payload []byte) (Event, error) {
	c.seen = 0
	if h.Op != Continuation {
		c.op, c.compressed, c.fragments = h.Op, h.RSV != 0, 0
	}
	if !h.Fin {
		if c.fragments++; int(c.fragments) >= c.options.maxFragments() {
			return Event{}, &CloseError{ClosePolicyViolation, "message of too many fragments"}
		}
		c.collect(payload)
		return Event{}, nil
	}
	if !c.utf8.complete() {
		return Event{}, invalidData("text ends inside a character")
	}
	ev := Event{Op: c.op, Data: payload}
	if c.message != nil {
		c.collect(payload)
		c.lent = true
		ev.Data = c.message.b
	}
	c.op = Continuation
	if !c.compressed {
		return ev, nil
	}
	c.compressed = false
	inflated, err := c.inflate(ev.Data)
	c.free()
	if err != nil {
		return Event{}, err
	}
	c.message, c.lent = inflated, true
	ev.Data = inflated.b
	if ev.Op == Text {
		if s, valid := (utf8State{}).next(ev.Data); !valid || !s.complete() {
			return Event{}, invalidData("text is not UTF-8")
		}
	}
	return ev, nil
}

// collect keeps a fragment.
func (c *Codec) collect(payload []byte) {
	if c.message == nil {
		if len(payload) == 0 {
			return
		}
		c.message = newBuffer(len(payload))
	}
	c.message = c.message.grown(len(payload), c.limit(c.compressed))
	c.message.b = append(c.message.b, payload...)
}
