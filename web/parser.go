package web

import "slices"

// Step is what Parse has reached.
type Step uint8

const (
	// NeedMore asks for more bytes: call again with the unused ones and what has arrived.
	NeedMore Step = iota
	// NeedContinue is NeedMore, and the client waits to be told to send the body of the
	// request whose head is in r: send Status(100), or refuse and close. It comes at most
	// once per request, only with Collect, and not if a part of the body is there already.
	NeedContinue
	// GotHead means that r has a head and its body follows; see ExpectContinue. Only with
	// Stream or Uploads.
	GotHead
	// GotPiece means that the Body of r is the next piece of the body. Of the head, r has
	// only what an answer needs: Method, Protocol and KeepAlive. Only with Stream or Uploads.
	GotPiece
	// GotRequest means that the request is complete: r is the whole request, or after
	// GotHead, the trailers and what an answer needs.
	GotRequest
)

// A Parser cuts the requests of one connection out of its bytes (RFC 9112). It is small, and
// an idle one owns no memory. The zero Parser is ready for use.
type Parser struct {
	// Options may be shared with other parsers; nil means the defaults.
	Options *Options

	failed    *Error
	partial   *partial
	method    string // belongs to the request whose body is streamed, as saw, old and coding do
	left      int64  // bytes to come of the body, or of the chunk
	total     int64  // bytes of the body announced by chunks so far
	need      int    // below so many bytes there is nothing to be seen
	scanned   int    // bytes of an unfinished line, or head, that hold no news
	extension int32  // bytes of chunk extensions so far
	blank     uint8  // empty lines before the request line so far
	saw       uint8
	old       bool
	coding    coding
	state     state
	continued bool // NeedContinue has been given
	lined     bool // the request line of the unfinished head is complete
}

type state uint8

const (
	inHead state = iota
	inBody
	inChunkSize
	inChunk
	inChunkEnd
	inTrailer
	atEnd
)

// A partial is a request with a chunked body of which a part has arrived. Its framing is
// removed on arrival, so it cannot stay in the lent bytes.
type partial struct{ head, body []byte }

// RFC 9112, section 2.2 asks to ignore at least one empty line before the request line.
const maxBlankLines = 4

// A body buffer up to this size stays with the Request for the next chunked body.
const maxSpare = 64 << 10

// Parse looks at buf, which begins with the bytes that the last call did not use, and says
// how many it has used and what it has found. Except after NeedMore, NeedContinue and an
// error, it is to be called again at once with the rest of buf, even if that is empty. r is
// valid after NeedContinue, GotHead, GotPiece and GotRequest; it lies in buf and in memory
// of its own, until the next call.
//
// An error is an *Error and final: all later calls return it. With Collect, a body of known
// length stays in buf until it is complete, so that it is never copied: see Want.
func (p *Parser) Parse(r *Request, buf []byte) (used int, step Step, err error) {
	if p.failed != nil {
		return 0, NeedMore, p.failed
	}
	o := p.Options
	if o == nil {
		o = &defaultOptions
	}
	var e *Error
	switch {
	case p.state == inHead:
		used, step, e = p.parseHead(r, buf, o)
	case p.partial != nil:
		used, step, e = p.resume(r, buf, o)
	case p.state == inBody:
		n := int(min(p.left, int64(len(buf))))
		used, step = n, p.piece(r, o, buf[:n:n])
		if p.left -= int64(n); p.left == 0 {
			p.state = atEnd
		}
	case p.state == atEnd:
		r.clear()
		step = p.end(r, o)
	default:
		used, step, e = p.stream(r, buf, o)
	}
	if e != nil {
		p.failed, p.partial = e, nil
		r.clear()
		return used, NeedMore, e
	}
	return used, step, nil
}

// Want is the number of bytes, counted from the first unused one, that the next call needs
// to get any further, 0 if it is not known.
func (p *Parser) Want() int { return p.need }

// Pending reports whether the next call of Parse gets on without further bytes, as with the
// end of a body in pieces.
func (p *Parser) Pending() bool { return p.state == atEnd }

// InBody reports whether the head of a request has been read and its body has not.
func (p *Parser) InBody() bool { return p.state != inHead || p.need > 0 }

func (p *Parser) reset() { *p = Parser{Options: p.Options} }

// piece makes data the body of r. What a response needs to know of the head goes with it,
// for r may have served other connections since.
func (p *Parser) piece(r *Request, o *Options, data []byte) Step {
	r.clear()
	if len(data) == 0 {
		return NeedMore
	}
	r.method, r.saw, r.old, r.coding, r.options = p.method, p.saw, p.old, p.coding, o
	r.body = data
	return GotPiece
}

// end ends a streamed request. r may have its trailers.
func (p *Parser) end(r *Request, o *Options) Step {
	trailer, trailers := r.trailer, r.trailers
	r.clear()
	r.trailer, r.trailers = trailer, trailers
	r.method, r.saw, r.old, r.coding, r.options = p.method, p.saw, p.old, p.coding, o
	p.reset()
	return GotRequest
}

func (p *Parser) parseHead(r *Request, buf []byte, o *Options) (used int, step Step, e *Error) {
	for len(buf)-used > 1 && buf[used] == '\r' && buf[used+1] == '\n' {
		if p.blank++; p.blank > maxBlankLines {
			return used, NeedMore, errBlankLines
		}
		used += 2
		p.scanned = 0
	}
	buf = buf[used:]
	if len(buf) < p.need || p.need == 0 && p.unchanged(buf, o) {
		r.clear()
		return used, NeedMore, nil
	}
	n, e := r.parse(buf, o)
	if e != nil {
		return used, NeedMore, e
	}
	if n == 0 {
		p.scanned, p.lined = len(buf), r.line > 0
		r.clear()
		return used, NeedMore, nil
	}
	switch {
	case o.Body == Stream || o.Uploads && r.length != 0 && r.isMultipart():
		return used + n, p.begin(r, o), nil
	case r.length < 0:
		rest, step, e := p.collect(r, buf[n:], o)
		return used + n + rest, step, e
	}
	size := n + int(r.length)
	if len(buf) >= size {
		r.body = buf[n:size:size]
		p.reset()
		return used + size, GotRequest, nil
	}
	p.need = size
	if r.ExpectContinue() && !p.continued && len(buf) == n {
		p.continued = true
		return used, NeedContinue, nil
	}
	r.clear()
	return used, NeedMore, nil
}

// unchanged reports whether an unfinished head has not got another line end since it was
// looked at, nor reached a limit. A head that comes byte by byte is thus read once per
// line, and no line twice for line ends.
func (p *Parser) unchanged(buf []byte, o *Options) bool {
	limit := o.maxHeader()
	if !p.lined {
		limit = o.maxRequestLine()
	}
	if len(buf) >= limit || hasLineFeed(buf[p.scanned:]) {
		return false
	}
	p.scanned = len(buf)
	return true
}

// begin hands out the head of a request whose body will be streamed.
func (p *Parser) begin(r *Request, o *Options) Step {
	p.reset()
	p.method, p.saw, p.old = r.method, r.saw, r.old
	if o.Compress.Enabled {
		p.coding = r.wantedCoding()
	}
	switch {
	case r.length < 0:
		p.state = inChunkSize
	case r.length > 0:
		p.state, p.left = inBody, r.length
	default:
		p.state = atEnd
	}
	return GotHead
}

// collect reads as much of a chunked body as there is behind the head in r.
func (p *Parser) collect(r *Request, buf []byte, o *Options) (used int, step Step, e *Error) {
	p.reset()
	p.state = inChunkSize
	body := r.spare[:0]
	r.spare = nil
	for p.state != atEnd {
		n, data, moved, e := p.chunk(r, buf[used:], o)
		if e != nil {
			return used, NeedMore, e
		}
		used += n
		body = append(body, data...)
		if !moved {
			p.partial = &partial{slices.Clone(r.head), body}
			if r.ExpectContinue() && len(buf) == 0 {
				return used, NeedContinue, nil
			}
			r.clear()
			return used, NeedMore, nil
		}
	}
	r.collected(body)
	p.reset()
	return used, GotRequest, nil
}

// resume goes on with a chunked body that came in more than one part.
func (p *Parser) resume(r *Request, buf []byte, o *Options) (used int, step Step, e *Error) {
	r.clear()
	for p.state != atEnd {
		n, data, moved, e := p.chunk(r, buf[used:], o)
		if e != nil {
			return used, NeedMore, e
		}
		used += n
		p.partial.body = append(p.partial.body, data...)
		if !moved {
			return used, NeedMore, nil
		}
	}
	// The head was accepted before, so it is accepted again. It empties r, so that the
	// trailer is put in afterwards.
	trailer, trailers := r.trailer, r.trailers
	if _, e = r.parse(p.partial.head, o); e != nil {
		return used, NeedMore, e
	}
	r.trailer, r.trailers = trailer, trailers
	r.collected(p.partial.body)
	p.reset()
	return used, GotRequest, nil
}

// stream reads on in a chunked body up to the next piece or its end.
func (p *Parser) stream(r *Request, buf []byte, o *Options) (used int, step Step, e *Error) {
	r.clear()
	for {
		n, data, moved, e := p.chunk(r, buf[used:], o)
		if e != nil {
			return used, NeedMore, e
		}
		used += n
		switch {
		case p.state == atEnd:
			return used, p.end(r, o), nil
		case len(data) > 0:
			return used, p.piece(r, o, data), nil
		case !moved:
			return used, NeedMore, nil
		}
	}
}
