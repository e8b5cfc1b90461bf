package websocket

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/workerman-go/workerman/web"
)

// ClientHandshake is the client's side of an opening handshake, RFC 6455 section 4.1. It
// is used for one connection: the request, then the response.
type ClientHandshake struct {
	// Host of the Host field, with the port unless that is the usual one.
	Host string
	// Target is path and query; empty means "/".
	Target string
	// Origin is sent by browsers; empty means no such field.
	Origin string
	// Fields are further header fields, as Authorization.
	Fields []web.Field
	// Options give the subprotocols and the compression to offer; nil means none.
	Options *Options
	// Nonce are the random bytes of Sec-WebSocket-Key. All zero means that AppendRequest
	// takes them from the system's random source.
	Nonce [16]byte
}

// Response is a server's answer to an opening handshake.
type Response struct {
	Status int
	Agreement
	fields header
}

// Header returns the value of the first header field of that name, in any case.
func (r *Response) Header(name string) string { return r.fields.get(name) }

// Fields returns all header fields in the order they came. They must not be changed.
func (r *Response) Fields() []web.Field { return r.fields }

func (h *ClientHandshake) options() *Options {
	if h.Options == nil {
		return &Options{}
	}
	return h.Options
}

func (h *ClientHandshake) key() string { return base64.StdEncoding.EncodeToString(h.Nonce[:]) }

// AppendRequest appends the request to dst. What could split it, as a line feed in a
// field or a space in the target, is an error.
func (h *ClientHandshake) AppendRequest(dst []byte) ([]byte, error) {
	if h.Nonce == [16]byte{} {
		rand.Read(h.Nonce[:]) // crypto/rand: never fails
	}
	target := h.Target
	if target == "" {
		target = "/"
	}
	o := h.options()
	if !isFieldValue(h.Origin) {
		return dst, fmt.Errorf("websocket: malformed origin %.100q", h.Origin)
	}
	list := strings.Join(o.Subprotocols, ", ")
	if names, ok := parseSubprotocols(list); !ok || !slices.Equal(names, o.Subprotocols) {
		return dst, fmt.Errorf("websocket: malformed subprotocols %.100q", list)
	}
	start := len(dst)
	dst = append(append(append(dst, "GET "...), target...), " HTTP/1.1\r\n"...)
	dst = appendField(dst, "Host", h.Host)
	dst = append(dst, "Upgrade: websocket\r\nConnection: Upgrade\r\n"...)
	if h.Origin != "" {
		dst = appendField(dst, "Origin", h.Origin)
	}
	if list != "" {
		dst = appendField(dst, "Sec-WebSocket-Protocol", list)
	}
	dst = append(dst, "Sec-WebSocket-Version: 13\r\n"...)
	dst = appendField(dst, "Sec-WebSocket-Key", h.key())
	if offer := o.Compression.offer(); offer != "" {
		dst = appendField(dst, "Sec-WebSocket-Extensions", offer)
	}
	dst, err := appendExtra(dst, h.Fields, append([]string{"Host", "Origin"}, ownFields...)...)
	if err != nil {
		return dst[:start], err
	}
	dst = append(dst, "\r\n"...)
	if err := h.reread(dst[start:], target); err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// largeRequest are the limits of what a client may send; what the server takes is its own
// affair.
var largeRequest = web.Options{MaxRequestLine: 1 << 20, MaxHeader: 1 << 20, MaxFields: 1 << 10}

// reread reads the request as a server would, which has to see what was meant.
func (h *ClientHandshake) reread(request []byte, target string) error {
	var r web.Request
	parser := web.Parser{Options: &largeRequest}
	used, step, err := parser.Parse(&r, request)
	switch {
	case err != nil:
		return fmt.Errorf("websocket: host %.100q and target %.100q make no request: %w", h.Host, target, err)
	case step != web.GotRequest || used != len(request), r.Host() != h.Host, r.Target() != target, target[0] != '/':
		return fmt.Errorf("websocket: host %.100q and target %.100q make another request", h.Host, target)
	}
	return nil
}

// ParseResponse returns the answer at the beginning of buf and its length; what follows
// are frames. A nil response and no error mean that it is not complete. The response owns
// its memory. It is checked as RFC 6455 section 4.1 demands: status 101, Upgrade,
// Connection, the answer to the key, and no subprotocol and no extension that were not
// offered. An error is a *HandshakeError; with it comes the response, as far as it could
// be read, since a refusal may say where to go or when to come again.
func (h *ClientHandshake) ParseResponse(buf []byte) (r *Response, n int, err error) {
	const proto = "HTTP/1."
	if start := string(buf[:min(len(buf), len(proto))]); start != proto[:len(start)] {
		return nil, 0, &HandshakeError{Reason: "no HTTP response"}
	}
	n, ok := endOfHead(buf)
	if !ok {
		return nil, 0, &HandshakeError{Reason: "head of more than 16 KiB"}
	}
	if n == 0 {
		return nil, 0, nil
	}
	line, fields, err := parseHead(string(buf[:n]))
	if err != nil {
		return nil, 0, &HandshakeError{Reason: err.Error()}
	}
	r = &Response{fields: fields}
	if r.Status, ok = parseStatus(line); !ok {
		return nil, 0, &HandshakeError{Reason: fmt.Sprintf("malformed status line %.60q", line)}
	}
	if r.Status != 101 {
		return r, n, &HandshakeError{Status: r.Status, Reason: "the server refused"}
	}
	if err := h.check(r, line); err != nil {
		return r, n, &HandshakeError{Reason: err.Error()}
	}
	return r, n, nil
}

// parseStatus takes the status out of a status line, RFC 9112 section 4. Servers leave
// out the phrase, and some the space before it.
func parseStatus(line string) (status int, ok bool) {
	if len(line) < 12 || line[8] != ' ' || len(line) > 12 && line[12] != ' ' || !isFieldValue(line) {
		return 0, false
	}
	if line[7] != '0' && line[7] != '1' {
		return 0, false
	}
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		status = 10*status + int(c-'0')
	}
	return status, status >= 100
}

func (h *ClientHandshake) check(r *Response, line string) error {
	if line[7] != '1' {
		return errors.New("not HTTP/1.1")
	}
	if !hasToken(r.fields.list("Upgrade"), "websocket") || !hasToken(r.fields.list("Connection"), "upgrade") {
		return errors.New("the answer is no upgrade to a WebSocket")
	}
	if r.fields.list("Sec-WebSocket-Accept") != acceptKey(h.key()) {
		return errors.New("Sec-WebSocket-Accept does not answer the key")
	}
	o := h.options()
	if r.fields.has("Sec-WebSocket-Protocol") {
		name := r.fields.list("Sec-WebSocket-Protocol")
		if !slices.Contains(o.Subprotocols, name) {
			return fmt.Errorf("subprotocol %.60q was not offered", name)
		}
		r.Subprotocol = name
	}
	extensions, ok := parseExtensions(r.fields.list("Sec-WebSocket-Extensions"))
	if ok {
		r.Deflate, ok = o.Compression.agree(extensions)
	}
	if !ok {
		return errors.New("an extension was not offered like that")
	}
	return nil
}
