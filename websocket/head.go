package websocket

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/workerman-go/workerman/web"
)

// maxHeadSize is the largest head of a response, with its blank line.
const maxHeadSize = 16 << 10

// header is the header of a response, with lookup by name in any case.
type header []web.Field

// get returns the value of the first field of that name.
func (h header) get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func (h header) has(name string) bool {
	return slices.ContainsFunc(h, func(f web.Field) bool { return strings.EqualFold(f.Name, name) })
}

// list returns the values of all fields of that name as one list, RFC 9110 section 5.3. It
// is no valid value of a field that may come once only if there are several.
func (h header) list(name string) string {
	var values []string
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return strings.Join(values, ", ")
}

// endOfHead returns the length of the head that buf begins with, blank line included, 0
// if it is not complete, and false if it is too large.
func endOfHead(buf []byte) (n int, ok bool) {
	i := bytes.Index(buf[:min(len(buf), maxHeadSize)], []byte("\r\n\r\n"))
	if i < 0 {
		return 0, len(buf) < maxHeadSize
	}
	return i + 4, true
}

// parseHead takes a complete head apart. It allows nothing that two readers could
// understand in two ways: no bare CR or LF, no folded line, no space before a colon.
func parseHead(head string) (startLine string, fields header, err error) {
	head = strings.TrimSuffix(head, "\r\n\r\n")
	startLine, head, _ = strings.Cut(head, "\r\n")
	fields = make(header, 0, 1+strings.Count(head, "\r\n"))
	for head != "" {
		var line string
		line, head, _ = strings.Cut(head, "\r\n")
		name, value, ok := strings.Cut(line, ":")
		value = trim(value)
		if !ok || !isToken(name) || !isFieldValue(value) {
			return "", nil, fmt.Errorf("malformed header field %.60q", line)
		}
		fields = append(fields, web.Field{Name: name, Value: value})
	}
	return startLine, fields, nil
}

// trim removes optional white space, RFC 9110 section 5.6.3.
func trim(s string) string { return strings.Trim(s, " \t") }

// isToken reports whether s is a token, RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c != 0 && strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// isFieldValue reports whether s may stand in a field: no control bytes except tabs.
func isFieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
