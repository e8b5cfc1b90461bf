package web

import (
	"errors"
	"os"
	"slices"
	"time"
)

// maxFileParts is how many parts of a file that are not read at once an answer has. Each is a
// descriptor; who asks for more gets the whole.
const maxFileParts = 4

// A Plan is what is to be sent for a planned response: the head and then the segments. Its
// status may be another than that of the response: 206 and 416 for ranges, 304 and 412 for
// conditions, 403, 404 and 500 for a file that cannot be opened.
type Plan struct {
	// Response has the status and the fields, and in Err why a file could not be opened.
	Response *Response
	// Size is the length of the body, which HEAD and 304 do not send.
	Size int64
	// Segments are the body, in their order. There are none if none is to be sent.
	Segments []Segment

	exchange Exchange
}

// A Segment is a part of a body: Bytes, or if these are nil, Length bytes of File from Offset
// on. Each File is a descriptor of its own, which whoever sends it has to close. If a file
// turns out to be shorter, the connection must be broken off, as its length has been sent.
type Segment struct {
	Bytes          []byte
	File           *os.File
	Offset, Length int64
}

// Planned reports whether the body of r is a file or a Content. Plan and AppendHead of the
// plan then take the place of Append.
func (r *Response) Planned() bool { return r.source != nil }

// Plan opens the file of a planned response and works out what is to be sent for x:
// conditions, ranges (RFC 9110, sections 13 and 14) and HEAD. If r has a status other than
// 200, it is sent whole. r is not changed. Files up to 16 KiB are read at once. Send the
// segments or Close the plan. It does not compress: see Dir.Precompressed.
func (r *Response) Plan(x Exchange) *Plan {
	p := &Plan{exchange: x}
	c, err := r.source.open()
	if err != nil {
		p.refuse(r, fileStatus(err), err)
		return p
	}
	defer c.close()
	p.Response = r.derive()
	if r.code() != 200 {
		p.whole(&c)
		return p
	}
	tag, modified := p.Response.validate(&c)
	q := x.conditions
	if q == nil {
		p.whole(&c)
		return p
	}
	switch Precondition(q, tag, modified) {
	case 304:
		p.notModified(tag)
		return p
	case 412:
		p.refuse(r, 412, nil)
		return p
	}
	// Some clients ask for a range of whatever they get, also of nothing.
	if !rangeApplies(q, tag, modified) || c.size == 0 {
		p.whole(&c)
		return p
	}
	ranges, satisfiable := parseRange(q.Header("Range"), c.size)
	switch {
	case !satisfiable:
		p.refuse(r, 416, nil)
		p.Response.Set("Content-Range", string(byteRange{}.AppendContentRange(nil, c.size)))
	case len(ranges) == 0, c.file != nil && descriptorsFor(ranges) > maxFileParts:
		p.whole(&c)
	case len(ranges) == 1:
		p.Response.Status = 206
		p.Response.Set("Content-Range", string(ranges[0].AppendContentRange(nil, c.size)))
		p.add(&c, ranges[0])
	default:
		p.parts(&c, ranges)
	}
	return p
}

func descriptorsFor(ranges []byteRange) (n int) {
	for _, r := range ranges {
		if r.Length > maxRead {
			n++
		}
	}
	return n
}

// AppendHead appends the status line and the fields of the plan's response: see
// Response.AppendHead.
func (p *Plan) AppendHead(dst, date []byte) []byte {
	return p.Response.AppendHead(dst, p.exchange, date, p.Size)
}

// KeepAlive is Response.KeepAlive for the plan.
func (p *Plan) KeepAlive() bool { return p.Response.KeepAlive(p.exchange) }

// Close closes the files of a plan that is not to be sent. Those that are closed already do
// not matter.
func (p *Plan) Close() {
	for _, s := range p.Segments {
		if s.File != nil {
			s.File.Close()
		}
	}
}

// derive is a copy of r without body, whose fields may be changed.
func (r *Response) derive() *Response {
	c := *r
	c.fields = slices.Clone(r.fields)
	c.body, c.text, c.source, c.Stream = nil, "", nil, false
	return &c
}

// validate adds the fields that conditional requests refer to, unless they have been set.
func (r *Response) validate(c *contents) (tag string, modified time.Time) {
	if tag = r.Get("ETag"); tag == "" {
		if tag = c.tag(); tag != "" {
			r.put("Etag", tag)
		}
	}
	modified = c.modified
	if own := r.Get("Last-Modified"); own != "" {
		modified, _ = parseDate(own)
	} else if !modified.IsZero() {
		r.put("Last-Modified", string(AppendDate(nil, modified)))
	}
	if r.Get("Accept-Ranges") == "" {
		r.put("Accept-Ranges", "bytes")
	}
	return tag, modified
}

// add adds a part of the contents to the body.
func (p *Plan) add(c *contents, r byteRange) {
	if p.Size += r.Length; r.Length == 0 || !p.Response.HasBody(p.exchange) {
		return
	}
	s, err := c.segment(r)
	if err != nil {
		p.refuse(p.Response, fileStatus(err), err)
		return
	}
	p.Segments = append(p.Segments, s)
}

func (p *Plan) addText(s string) {
	if p.Size += int64(len(s)); p.Response.HasBody(p.exchange) {
		p.Segments = append(p.Segments, Segment{Bytes: []byte(s)})
	}
}

func (p *Plan) whole(c *contents) { p.add(c, byteRange{0, c.size}) }

// notModified keeps the fields that update what the client has (RFC 9110, section 15.4.5).
func (p *Plan) notModified(tag string) {
	p.Response.Status = 304
	for _, name := range [...]string{"Accept-Ranges", "Content-Disposition", "Content-Encoding", "Content-Language"} {
		p.Response.remove(name)
	}
	if tag != "" {
		p.Response.remove("Last-Modified")
	}
}

// refuse answers with a status instead of the contents. What r says about these is left out,
// the rest, such as who may read the answer, stays.
func (p *Plan) refuse(r *Response, status int, err error) {
	p.Close()
	e := Status(status)
	text := e.text
	e.text, e.Close, e.ownDate, e.ownServer, e.err = "", r.Close, r.ownDate, r.ownServer, err
	if err == nil {
		e.err = r.err
	}
	e.fields = slices.Clone(r.fields)
	for _, name := range [...]string{"Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
		"Content-Range", "Etag", "Expires", "Last-Modified"} {
		e.remove(name)
	}
	p.Response, p.Size, p.Segments = e, 0, nil
	p.addText(text)
}

// maxAppend is how long the body of a planned response may be that is read into memory. It
// keeps a sparse file, which may have any size, from taking all of it.
const maxAppend = 1 << 30

// appendPlanned is Append for a planned response, which reads the whole body.
func (r *Response) appendPlanned(dst []byte, x Exchange, date []byte) []byte {
	p := r.Plan(x)
	defer p.Close()
	if p.Size > maxAppend && len(p.Segments) > 0 {
		p.refuse(r, 500, errors.New("http: a file of more than 1 GiB can be sent by Plan only"))
	}
	out := p.AppendHead(slices.Grow(dst, 512), date)
	for _, s := range p.Segments {
		if s.File == nil {
			out = append(out, s.Bytes...)
			continue
		}
		n := len(out)
		out = slices.Grow(out, int(s.Length))[:n+int(s.Length)]
		if _, err := s.File.ReadAt(out[n:], s.Offset); err != nil {
			p.refuse(r, 500, err)
			return append(p.AppendHead(dst, date), p.body()...)
		}
	}
	return out
}

// body is the body of a plan without files.
func (p *Plan) body() (b []byte) {
	for _, s := range p.Segments {
		b = append(b, s.Bytes...)
	}
	return b
}
