package web

import "bytes"

func hasLineFeed(b []byte) bool { return bytes.IndexByte(b, '\n') >= 0 }

// maxSizeDigits are the digits of the largest chunk size that 64 bits can hold.
const maxSizeDigits = 16

// chunk takes the next element of a chunked body (RFC 9112, section 7.1) from buf: a size, a
// part of a chunk, a chunk's end or the trailer section. moved is false if it is not
// there yet. At the end the state is atEnd and r has the trailers.
func (p *Parser) chunk(r *Request, buf []byte, o *Options) (used int, data []byte, moved bool, e *Error) {
	switch p.state {
	case inChunkSize:
		used, e = p.chunkSize(buf, o)
		return used, nil, used > 0, e
	case inChunk:
		n := int(min(p.left, int64(len(buf))))
		if p.left -= int64(n); p.left == 0 {
			p.state = inChunkEnd
		}
		return n, buf[:n:n], n > 0, nil
	case inChunkEnd:
		if len(buf) > 0 && buf[0] != '\r' || len(buf) > 1 && buf[1] != '\n' {
			return 0, nil, false, errChunkEnd
		}
		if len(buf) < 2 {
			return 0, nil, false, nil
		}
		p.state = inChunkSize
		return 2, nil, true, nil
	default:
		used, e = p.trailer(r, buf, o)
		return used, nil, used > 0, e
	}
}

// chunkSize reads the line before a chunk.
func (p *Parser) chunkSize(buf []byte, o *Options) (used int, e *Error) {
	spare := max(o.maxExtensions()-int(p.extension), 0) // another process may have allowed more
	limit := maxSizeDigits + spare + len("\r\n")
	window := buf[:min(len(buf), limit)]
	i := bytes.IndexByte(window[p.scanned:], '\n')
	if i < 0 {
		if len(buf) < limit {
			p.scanned = len(buf)
			return 0, nil
		}
		// Too long: the reason is in what is there.
		if _, _, e = splitChunkSize(window); e == nil {
			e = errExtensions
		}
		return 0, e
	}
	i += p.scanned
	if i == 0 || window[i-1] != '\r' {
		return 0, errLineFeed
	}
	size, extension, e := splitChunkSize(window[:i-1])
	if e != nil {
		return 0, e
	}
	if len(extension) > spare {
		return 0, errExtensions
	}
	if !validExtension(extension) {
		return 0, errExtension
	}
	if max := o.maxBody(); size > 1<<62 || max >= 0 && size > uint64(max-p.total) || p.total > 1<<62 {
		return 0, errBody
	}
	p.extension += int32(len(extension))
	p.total += int64(size)
	p.scanned = 0
	if p.left = int64(size); p.left > 0 {
		p.state = inChunk
	} else {
		p.state = inTrailer
	}
	return i + 1, nil
}

// splitChunkSize reads the hexadecimal size at the beginning of line; what follows is the
// extension. More digits than 64 bits have are refused even if they are zeros.
func splitChunkSize(line []byte) (size uint64, extension []byte, e *Error) {
	n := 0
	for n < len(line) {
		d := hexDigit(line[n])
		if d > 15 {
			break
		}
		if n == maxSizeDigits {
			return 0, nil, errChunkSize
		}
		size = size<<4 | uint64(d)
		n++
	}
	if n == 0 {
		return 0, nil, errChunkSize
	}
	return size, line[n:], nil
}

// validExtension reports whether b is empty or begins with a semicolon and has no control
// characters. What it says is ignored, as RFC 9112, section 7.1.1 demands of unknown
// extensions, but a line end must not hide in it. Space before the semicolon, which that
// section lets bad senders write, is refused as net/http does: readers differ about it.
func validExtension(b []byte) bool {
	return len(b) == 0 || b[0] == ';' && validValue(b)
}

// trailer reads the trailer section (RFC 9112, section 7.1.2), which stays in buf until it
// is complete.
func (p *Parser) trailer(r *Request, buf []byte, o *Options) (used int, e *Error) {
	limit := o.maxTrailer()
	if len(buf) < limit && !hasLineFeed(buf[p.scanned:]) {
		p.scanned = len(buf)
		return 0, nil
	}
	fields, n, e := parseFields(r.trailers[:0], buf, 0, limit, o.maxFields(), errLongTrailer)
	if e != nil {
		return 0, e
	}
	if n == 0 {
		p.scanned = len(buf)
		return 0, nil
	}
	r.trailer, r.trailers = buf[:n:n], fields
	for _, f := range fields {
		if forbiddenTrailer(buf[f.name.start:f.name.end]) {
			return 0, errTrailer
		}
	}
	p.scanned = 0
	p.state = atEnd
	return n, nil
}

// forbiddenTrailer reports whether a field must not come after the body, since it says how
// to read the message, where it goes or who sends it (RFC 9110, section 6.5.1).
func forbiddenTrailer[T []byte | string](name T) bool {
	for _, s := range forbiddenTrailers {
		if equalFold(name, s) {
			return true
		}
	}
	return false
}

var forbiddenTrailers = [...]string{
	"Authorization", "Cache-Control", "Connection", "Content-Encoding", "Content-Length",
	"Content-Range", "Content-Type", "Cookie", "Expect", "Forwarded", "Host", "If-Match",
	"If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Keep-Alive",
	"Max-Forwards", "Pragma", "Proxy-Authorization", "Proxy-Connection", "Range", "Set-Cookie",
	"TE", "Trailer", "Transfer-Encoding", "Upgrade", "X-Forwarded-For", "X-Forwarded-Host",
	"X-Forwarded-Proto", "X-Real-IP",
}
