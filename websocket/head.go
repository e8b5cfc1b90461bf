package websocket

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// MaxHeadSize is the largest head of a request or response, with its blank line.
const MaxHeadSize = 16 << 10

// Field is a header field of HTTP.
type Field struct{ Name, Value string }

// HandshakeError says why a handshake failed. On a server Status is what to answer by
// AppendRefusal. On a client it is the status of a response that was no 101, and 0 if the
// response was a 101 but not a valid one, or no HTTP.
type HandshakeError struct {
	Status int
	Reason string
}

func (e *HandshakeError) Error() string {
	if e.Status == 0 {
		return "websocket: handshake: " + e.Reason
	}
	return fmt.Sprintf("websocket: handshake: %d %s: %s", e.Status, http.StatusText(e.Status), e.Reason)
}

// header is a list of fields with lookup by name in any case.
type header []Field

// get returns the value of the first field of that name.
func (h header) get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// one returns the value of the only field of that name, and false if there is none or
// more than one.
func (h header) one(name string) (value string, ok bool) {
	count := 0
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			value = f.Value
			count++
		}
	}
	return value, count == 1
}

func (h header) has(name string) bool {
	return slices.ContainsFunc(h, func(f Field) bool { return strings.EqualFold(f.Name, name) })
}

// joined returns the values of all fields of that name as one list, RFC 9110 section 5.3.
func (h header) joined(name string) string {
	var list string
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			if list != "" {
				list += ", "
			}
			list += f.Value
		}
	}
	return list
}

// hasToken reports whether the list of that name has the token, in any case.
func (h header) hasToken(name, token string) bool {
	for _, f := range h {
		if !strings.EqualFold(f.Name, name) {
			continue
		}
		for item := range strings.SplitSeq(f.Value, ",") {
			if strings.EqualFold(trim(item), token) {
				return true
			}
		}
	}
	return false
}

// endOfHead returns the length of the head that buf begins with, blank line included, 0
// if it is not complete, and false if it is too large.
func endOfHead(buf []byte) (n int, ok bool) {
	i := bytes.Index(buf[:min(len(buf), MaxHeadSize)], []byte("\r\n\r\n"))
	if i < 0 {
		return 0, len(buf) < MaxHeadSize
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
		fields = append(fields, Field{name, value})
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

// appendField appends a line of a head.
func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// appendExtra appends fields that a program adds. What could split the head, or
// contradict what the handshake says itself, is refused.
func appendExtra(dst []byte, extra []Field, own ...string) ([]byte, error) {
	start := len(dst)
	for _, f := range extra {
		if !isToken(f.Name) || !isFieldValue(f.Value) {
			return dst[:start], fmt.Errorf("websocket: malformed header field %.60q: %.60q", f.Name, f.Value)
		}
		for _, name := range own {
			if strings.EqualFold(f.Name, name) {
				return dst[:start], fmt.Errorf("websocket: header field %s is part of the handshake", f.Name)
			}
		}
		dst = appendField(dst, f.Name, f.Value)
	}
	return dst, nil
}

// Fields that only the handshake itself writes.
var ownFields = []string{
	"Upgrade", "Connection", "Content-Length", "Transfer-Encoding",
	"Sec-WebSocket-Accept", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
	"Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
}

// parseSubprotocols returns the list of a Sec-WebSocket-Protocol field, RFC 6455 section
// 4.1: tokens, each once.
func parseSubprotocols(list string) ([]string, bool) {
	if list == "" {
		return nil, true
	}
	names := strings.Split(list, ",")
	for i, name := range names {
		name = trim(name)
		if !isToken(name) {
			return nil, false
		}
		if slices.Contains(names[:i], name) {
			return nil, false
		}
		names[i] = name
	}
	return names, true
}
