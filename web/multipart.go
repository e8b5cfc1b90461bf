package web

import (
	"bytes"
	"strings"
)

var (
	errBoundary  = &Error{400, "multipart without a valid boundary"}
	errPreamble  = &Error{400, "multipart that does not begin with its boundary"}
	errDelimiter = &Error{400, "malformed line of the multipart boundary"}
	errUnended   = &Error{400, "multipart without its last boundary"}
	errPartHead  = &Error{413, "head of a part of the form too long"}
)

// A splitter cuts a multipart body into its parts as it arrives (RFC 2046, section 5.1.1). It
// keeps the head of the part at hand and of everything else nothing. Lines end with CRLF,
// the body begins with a boundary or an empty line, and a line that begins with the
// boundary has nothing more than padding behind it, for readers differ about all of these.
type splitter struct {
	delimiter []byte // a line end, two hyphens and the boundary
	head      []byte
	limit     int // the largest head in bytes
	matched   int // how many bytes of the delimiter have been seen
	silent    int // how many of them do not belong to the content if it goes on otherwise
	hyphens   int // after the delimiter
	place     place
}

type place uint8

const (
	beforeParts place = iota
	inContent
	inPadding   // behind the delimiter
	inLineEnd   // its carriage return has been seen
	inPartHead  // the head of the next part arrives
	behindParts // where everything is ignored
)

// A partEvent is what a splitter has found.
type partEvent uint8

const (
	partMore partEvent = iota // nothing: all is used up
	partHead                  // the head is complete
	partData                  // a piece of the content
	partEnd                   // the content is complete
)

// newSplitter expects the boundary of a Content-Type.
func newSplitter(boundary string, limit int) splitter {
	// The line end before the first boundary is not sent.
	return splitter{delimiter: []byte("\r\n--" + boundary), limit: limit, matched: 2, silent: 2}
}

// parseBoundary takes the boundary out of a Content-Type that is multipart/form-data.
func parseBoundary(contentType string) (string, *Error) {
	kind, _, _ := strings.Cut(contentType, ";")
	boundary := ""
	if !equalFold(trim(kind), "multipart/form-data") {
		return "", &Error{415, "not a multipart form"}
	}
	ok := parameters(contentType[len(kind):], func(name, value string) bool {
		if !equalFold(name, "boundary") {
			return true
		}
		twice := boundary != ""
		boundary = value
		return !twice && validBoundary(value)
	})
	if !ok || boundary == "" {
		return "", errBoundary
	}
	return boundary, nil
}

// validBoundary reports whether s has 1 to 70 of the characters of RFC 2046, section 5.1.1.
func validBoundary(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && strings.IndexByte("'()+_,-./:=? ", s[i]) < 0 {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 70 && s[len(s)-1] != ' '
}

// next looks at b and returns what it has not used. data is lent: it lies in b or in m.
func (m *splitter) next(b []byte) (rest []byte, event partEvent, data []byte, e *Error) {
	for len(b) > 0 {
		switch m.place {
		case beforeParts, inContent:
			b, event, data, e = m.content(b)
		case inPadding:
			b, e = m.padding(b)
		case inLineEnd:
			if b[0] != '\n' {
				return nil, partMore, nil, errDelimiter
			}
			b = b[1:]
			if m.place, m.head = inPartHead, m.head[:0]; m.hyphens == 2 {
				m.place = behindParts
			}
		case inPartHead:
			b, event, e = m.headLine(b)
		default:
			return nil, partMore, nil, nil
		}
		if event != partMore || e != nil {
			return b, event, data, e
		}
	}
	return nil, partMore, nil, nil
}

// content looks for the delimiter. Its first byte occurs in it only once, so that after a
// mismatch nothing of what has matched can be the beginning of another one.
func (m *splitter) content(b []byte) (rest []byte, event partEvent, data []byte, e *Error) {
	if m.matched == 0 {
		i := bytes.Index(b, m.delimiter)
		if i < 0 {
			// A beginning of the delimiter may stand at the end.
			tail := b[max(0, len(b)-len(m.delimiter)+1):]
			i = len(b)
			if cr := bytes.LastIndexByte(tail, '\r'); cr >= 0 && bytes.HasPrefix(m.delimiter, tail[cr:]) {
				m.matched = len(tail) - cr
				i -= m.matched
			}
			if i == 0 {
				return nil, partMore, nil, nil
			}
			return nil, partData, b[:i], nil
		}
		if i > 0 {
			return b[i:], partData, b[:i], nil
		}
	}
	n := 0
	for n < len(b) && m.matched < len(m.delimiter) && b[n] == m.delimiter[m.matched] {
		n++
		m.matched++
	}
	if b = b[n:]; m.matched == len(m.delimiter) {
		if m.place == inContent {
			event = partEnd
		}
		m.place, m.matched, m.silent, m.hyphens = inPadding, 0, 0, 0
		return b, event, nil, nil
	}
	if len(b) == 0 {
		return nil, partMore, nil, nil
	}
	if m.place == beforeParts {
		// One empty line may come first. Its end is sent, so that it is not left out again.
		if m.silent == 0 || m.matched > m.silent || b[0] != '\r' {
			return nil, partMore, nil, errPreamble
		}
		m.matched, m.silent = 1, 0
		return b[1:], partMore, nil, nil
	}
	data = m.delimiter[m.silent:m.matched]
	m.matched, m.silent = 0, 0
	if len(data) > 0 {
		event = partData
	}
	return b, event, data, nil
}

// padding reads what follows the delimiter up to the carriage return.
func (m *splitter) padding(b []byte) (rest []byte, e *Error) {
	for i, c := range b {
		switch {
		case c == '-' && m.hyphens < 2:
			m.hyphens++
		case m.hyphens == 1:
			return nil, errDelimiter
		case c == ' ' || c == '\t':
			if m.hyphens == 0 {
				m.hyphens = 3 // no hyphens may follow
			}
		case c == '\r':
			m.place = inLineEnd
			return b[i+1:], nil
		default:
			return nil, errDelimiter
		}
	}
	return nil, nil
}

// headLine adds a line, or a part of one, to the head. An empty line ends it.
func (m *splitter) headLine(b []byte) (rest []byte, event partEvent, e *Error) {
	n := bytes.IndexByte(b, '\n') + 1
	complete := n > 0
	if !complete {
		n = len(b)
	}
	if n > m.limit-len(m.head) {
		return nil, partMore, errPartHead
	}
	m.head = append(m.head, b[:n]...)
	if !complete {
		return nil, partMore, nil
	}
	size := len(m.head)
	if size < 2 || m.head[size-2] != '\r' {
		return nil, partMore, errLineFeed
	}
	if size == 2 || m.head[size-3] == '\n' {
		// The end of this line may be that of a delimiter which follows at once.
		m.place, m.matched, m.silent = inContent, 2, 2
		event = partHead
	}
	return b[n:], event, nil
}

// finish reports whether the body may end here.
func (m *splitter) finish() *Error {
	if m.place == behindParts || m.place == inPadding && m.hyphens == 2 {
		return nil
	}
	return errUnended
}
