package websocket

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Agreement is what the two sides of a handshake agreed on beyond the protocol itself.
type Agreement struct {
	Subprotocol string  // empty for none
	Deflate     Deflate // the zero value for no compression
}

// AcceptKey returns the value of Sec-WebSocket-Accept that answers a Sec-WebSocket-Key,
// RFC 6455 section 4.2.2.
func AcceptKey(key string) string {
	var raw [60]byte
	sum := sha1.Sum(append(append(raw[:0], key...), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Negotiate decides about a request: its Origin is checked, and a subprotocol and the
// compression are selected, if client and server have some in common. The error is a
// *HandshakeError with status 403. A program may change the agreement before it answers
// as long as it stays within what the client offered.
func (o *Options) Negotiate(r *Request) (Agreement, error) {
	if !o.allows(r) {
		return Agreement{}, &HandshakeError{http.StatusForbidden, fmt.Sprintf("origin %.100q is not allowed", r.Origin)}
	}
	var a Agreement
	for _, name := range r.Subprotocols {
		if slices.Contains(o.Subprotocols, name) {
			a.Subprotocol = name
			break
		}
	}
	a.Deflate = o.Compression.accept(r.extensions)
	return a, nil
}

// allows decides about the origin, RFC 6455 section 10.2.
func (o *Options) allows(r *Request) bool {
	switch {
	case o.CheckOrigin != nil:
		return o.CheckOrigin(r)
	case r.Origin == "":
		return true
	case o.Origins == nil:
		return sameOrigin(r.Origin, r.Host)
	}
	for _, origin := range o.Origins {
		if origin == "*" || strings.EqualFold(origin, r.Origin) {
			return true
		}
	}
	return false
}

// sameOrigin reports whether a page of origin comes from host. Which scheme the
// connection has is not known here, so that the port is compared as a page of origin
// would write it: left out if it is the usual one of the scheme.
func sameOrigin(origin, host string) bool {
	scheme, site, ok := strings.Cut(origin, "://")
	if !ok {
		return false
	}
	var port string
	switch strings.ToLower(scheme) {
	case "http":
		port = ":80"
	case "https":
		port = ":443"
	}
	return strings.EqualFold(strings.TrimSuffix(site, port), strings.TrimSuffix(host, port))
}

// AppendAccept appends the answer that turns r's connection into a WebSocket, RFC 6455
// section 4.2.2. extra are further fields, as Set-Cookie. It is an error if a field is
// malformed or belongs to the handshake, or if a was not offered by the client.
func AppendAccept(dst []byte, r *Request, a Agreement, extra ...Field) ([]byte, error) {
	if a.Subprotocol != "" && !slices.Contains(r.Subprotocols, a.Subprotocol) {
		return dst, fmt.Errorf("websocket: the client did not offer the subprotocol %.60q", a.Subprotocol)
	}
	offer, ok := a.Deflate.answers(r.extensions)
	if a.Deflate.Enabled && !ok {
		return dst, errors.New("websocket: the client did not offer this compression")
	}
	start := len(dst)
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"...)
	dst = appendField(dst, "Sec-WebSocket-Accept", AcceptKey(r.Key))
	if a.Subprotocol != "" {
		dst = appendField(dst, "Sec-WebSocket-Protocol", a.Subprotocol)
	}
	if a.Deflate.Enabled {
		dst = append(dst, "Sec-WebSocket-Extensions: "...)
		dst = append(a.Deflate.appendAnswer(dst, offer), "\r\n"...)
	}
	dst, err := appendExtra(dst, extra, ownFields...)
	if err != nil {
		return dst[:start], err
	}
	return append(dst, "\r\n"...), nil
}

// AppendRefusal appends an answer with a status of 400 or above and the reason as its
// body, after which the connection is to be closed. For 405 and 426 it says what would
// have been right, RFC 6455 section 4.4. Malformed extra fields and a status out of
// range are errors.
func AppendRefusal(dst []byte, status int, reason string, extra ...Field) ([]byte, error) {
	if status < 400 || status > 599 {
		return dst, fmt.Errorf("websocket: refusal with status %d", status)
	}
	start := len(dst)
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(append(dst, ' '), http.StatusText(status)...)
	dst = append(dst, "\r\n"...)
	connection := "close"
	switch status {
	case http.StatusMethodNotAllowed:
		dst = appendField(dst, "Allow", "GET")
	case http.StatusUpgradeRequired:
		dst = append(dst, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"...)
		connection = "Upgrade, close"
	}
	dst = appendField(dst, "Connection", connection)
	dst = append(dst, "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"...)
	dst = appendField(dst, "Content-Length", strconv.Itoa(len(reason)+1))
	dst, err := appendExtra(dst, extra, append(ownFields, "Content-Type")...)
	if err != nil {
		return dst[:start], err
	}
	dst = append(dst, "\r\n"...)
	return append(append(dst, reason...), '\n'), nil
}
