package web

import (
	"slices"
	"strings"
)

// Compression are the settings of compressed responses. The coding is zstd or gzip, as the
// client prefers.
//
// Compressed is a response by Append with a body of one of the Types and at least MinSize
// bytes that has no Content-Encoding and no Content-Range, whose status is not 204, 205, 206 or
// 304 and whose Cache-Control does not say no-transform; and a stream by CompressStream. Such
// a response says Vary: Accept-Encoding, compressed or not, and its ETag becomes a weak one. Files
// and Content are not compressed on the way: see Dir.Precompressed.
//
// Mind BREACH: who can see the length of encrypted responses, and make a client ask for pages
// that repeat a text of his choice next to a secret, such as a token, learns the secret from
// how well they compress. Leave such pages alone with Set("Cache-Control", "no-transform"),
// or mask the secret anew in each.
type Compression struct {
	// Enabled turns it on.
	Enabled bool
	// MinSize is the size in bytes from which a body is compressed, 1 KiB by default. Smaller
	// ones fit into a packet anyway.
	MinSize int
	// Types are the media types to compress: complete, or all of a kind as "text/*", or all
	// with a suffix as "+json". Without any, these are text/* except text/event-stream,
	// JSON, XML, JavaScript, WebAssembly, web manifests, SVG and fonts that are not
	// compressed already. Each stream of events that is compressed keeps an Encoder, which
	// is large.
	Types []string
	// Level is from 1, the fastest, to 9, the smallest; 3 by default. Streams have level 1.
	Level int
}

var compressibleTypes = []string{
	"text/*", "application/json", "+json", "application/xml", "+xml", "application/javascript", "application/wasm",
	"application/yaml", "application/x-javascript", "application/x-ndjson", "application/manifest+json", "application/rtf",
	"application/vnd.ms-fontobject", "font/ttf", "font/otf", "image/bmp", "image/x-icon",
}

func (c *Compression) minSize() int { return orDefault(c.MinSize, 1<<10) }

func (c *Compression) level() int { return min(orDefault(c.Level, 3), 9) }

// includes reports whether a body of that Content-Type is to be compressed.
func (c *Compression) includes(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = trim(kind)
	types := c.Types
	if len(types) == 0 {
		if equalFold(kind, "text/event-stream") {
			return false
		}
		types = compressibleTypes
	}
	for _, t := range types {
		n := len(kind) - len(t)
		switch {
		case equalFold(kind, t):
			return true
		case strings.HasSuffix(t, "/*") && n >= 0 && equalFold(kind[:len(t)-1], t[:len(t)-1]):
			return true
		case strings.HasPrefix(t, "+") && n >= 0 && equalFold(kind[n:], t):
			return true
		}
	}
	return false
}

// compression is the settings by which the response to x may be compressed, nil if it may not
// whatever the client accepts.
func (r *Response) compression(x Exchange) *Compression {
	if x.options == nil || !x.options.Compress.Enabled {
		return nil
	}
	c := &x.options.Compress
	code := r.code()
	if !r.framed(x) || code == 205 || code == 206 || !c.includes(r.contentType) {
		return nil
	}
	for i := range r.fields {
		switch f := &r.fields[i]; f.Name {
		case "Content-Encoding", "Content-Range":
			return nil
		case "Cache-Control":
			if listHas(f.Value, "no-transform") {
				return nil
			}
		}
	}
	return c
}

// appendCompressed is Append for a whole body if compression concerns it. ok is false if it
// does not.
func (r *Response) appendCompressed(dst []byte, x Exchange, date []byte) (_ []byte, ok bool) {
	size := len(r.body) + len(r.text)
	c := r.compression(x)
	if c == nil || size < c.minSize() || r.Stream {
		return dst, false
	}
	body := r.body
	if body == nil {
		body = []byte(r.text)
	}
	answer := r.derive()
	answer.varyByEncoding()
	if x.coding != identity {
		// HEAD has the fields that GET would have, its length among them.
		packed := compressWhole(x.coding, c.level(), body)
		defer packed.release()
		if len(packed.bytes) < size {
			body = packed.bytes
			answer.encoded(x.coding)
		}
	}
	dst = answer.AppendHead(slices.Grow(dst, 256+len(body)), x, date, int64(len(body)))
	if r.HasBody(x) {
		dst = append(dst, body...)
	}
	return dst, true
}

// CompressStream prepares a response with Stream for compression, if the settings and the
// client ask for it: the response it returns is to be appended instead of r, and each further
// piece is to be sent as the encoder returns it, until its Close. Otherwise the encoder is
// nil. r is not changed.
func (r *Response) CompressStream(x Exchange) (*Response, *Encoder) {
	c := r.compression(x)
	if c == nil || !r.Stream || r.source != nil {
		return r, nil
	}
	answer := r.derive()
	answer.body, answer.text, answer.Stream = r.body, r.text, true
	answer.varyByEncoding()
	if x.coding == identity {
		return answer, nil
	}
	answer.encoded(x.coding)
	if !answer.HasBody(x) {
		return answer, nil
	}
	e := newEncoder(x.coding)
	if body := append(r.body[:len(r.body):len(r.body)], r.text...); len(body) > 0 {
		answer.SetBody(slices.Clone(e.Write(body)))
	}
	return answer, e
}

// encoded says that the body is in a coding, and hence another one than its tag says (RFC
// 9110, section 8.8.3.3).
func (r *Response) encoded(c coding) {
	r.put("Content-Encoding", c.String())
	for i := range r.fields {
		if f := &r.fields[i]; f.Name == "Etag" && strings.HasPrefix(f.Value, `"`) {
			f.Value = "W/" + f.Value
		}
	}
}

// varyByEncoding tells caches that the response depends on Accept-Encoding.
func (r *Response) varyByEncoding() {
	var vary *Field
	for i := range r.fields {
		if f := &r.fields[i]; f.Name == "Vary" {
			if listHas(f.Value, "*") || listHas(f.Value, "Accept-Encoding") {
				return
			}
			vary = f
		}
	}
	switch {
	case vary == nil || vary.Value == "":
		r.put("Vary", "Accept-Encoding")
	default:
		vary.Value += ", Accept-Encoding"
	}
}

// listHas reports whether a comma-separated list has that element.
func listHas(list, element string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if equalFold(trim(item), element) {
			return true
		}
	}
	return false
}
