package websocket

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/workerman-go/workerman/web"
)

// Agreement is what the two sides of a handshake agreed on beyond the protocol itself.
type Agreement struct {
	Subprotocol string  // empty for none
	Deflate     Deflate // the zero value for no compression
}

// HandshakeError says why a handshake failed. On a server Status is the status of the
// answer, which Response gives. On a client it is the status of a response that was no 101,
// and 0 if the response was a 101 but not a valid one, or no HTTP.
type HandshakeError struct {
	Status int
	Reason string
}

// Error is the status and the reason.
func (e *HandshakeError) Error() string {
	if e.Status == 0 {
		return "websocket: handshake: " + e.Reason
	}
	return fmt.Sprintf("websocket: handshake: %d %s: %s", e.Status, web.StatusText(e.Status), e.Reason)
}

// Response is a server's answer to the request that was refused, with the reason as its
// body; after it the connection is to be closed. For 405 and 426 it says what would have
// been right, RFC 6455 section 4.4. Each call makes a new one, which may be changed. A
// Status below 400 is answered by 400.
func (e *HandshakeError) Response() *web.Response {
	r := web.Text(e.Reason+"\n").Set("X-Content-Type-Options", "nosniff")
	r.Status = max(e.Status, 400)
	switch e.Status {
	case 405:
		r.Set("Allow", "GET")
	case 426:
		r.Set("Upgrade", "websocket").Set("Connection", "Upgrade").Set("Sec-WebSocket-Version", "13")
	}
	r.Close = true
	return r
}

// acceptKey returns the value of Sec-WebSocket-Accept that answers a Sec-WebSocket-Key,
// RFC 6455 section 4.2.2.
func acceptKey(key string) string { return string(appendAcceptKey(nil, key)) }

func appendAcceptKey(dst []byte, key string) []byte {
	var raw [60]byte
	sum := sha1.Sum(append(append(raw[:0], key...), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}

// maxSubprotocols limits the offers that are looked at: each is compared with all before.
const maxSubprotocols = 100

// parseSubprotocols returns the list of a Sec-WebSocket-Protocol field, RFC 6455 section
// 4.1: tokens, each once.
func parseSubprotocols(list string) ([]string, bool) {
	if list == "" {
		return nil, true
	}
	if strings.Count(list, ",") >= maxSubprotocols {
		return nil, false
	}
	names := strings.Split(list, ",")
	for i, name := range names {
		name = trim(name)
		if !isToken(name) || slices.Contains(names[:i], name) {
			return nil, false
		}
		names[i] = name
	}
	return names, true
}

// hasToken reports whether a list has the token, in any case.
func hasToken(list, token string) bool {
	for list != "" {
		var item string
		if item, list, _ = strings.Cut(list, ","); strings.EqualFold(trim(item), token) {
			return true
		}
	}
	return false
}

// Fields that only the handshake itself writes.
var ownFields = []string{
	"Upgrade", "Connection", "Content-Length", "Transfer-Encoding",
	"Sec-WebSocket-Accept", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
	"Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
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
func appendExtra(dst []byte, extra []web.Field, own ...string) ([]byte, error) {
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
