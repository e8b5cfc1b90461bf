package websocket

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/workerman-go/workerman/web"
)

// Negotiate judges a request and decides what to agree on. The request has to be an opening
// handshake of version 13 (RFC 6455 section 4.2.1), and its Origin to be allowed; then a
// subprotocol and the compression are selected, if client and server have some in common.
// The agreement keeps nothing of r. A program may change it before it answers, as long as
// it stays within what the client offered.
//
// The error is a *HandshakeError, whose Response says no: 405 for another method than GET,
// 426 if the client does not ask for a WebSocket of version 13, 403 for an origin that is
// not allowed, 400 for what is no valid handshake. It may be called from any goroutine.
func (o *Options) Negotiate(r *web.Request) (Agreement, error) {
	if e := checkRequest(r); e != nil {
		return Agreement{}, e
	}
	offered, ok := parseSubprotocols(r.HeaderList("Sec-WebSocket-Protocol"))
	if !ok {
		return Agreement{}, badRequest("malformed Sec-WebSocket-Protocol")
	}
	extensions, ok := parseExtensions(r.HeaderList("Sec-WebSocket-Extensions"))
	if !ok {
		return Agreement{}, badRequest("malformed Sec-WebSocket-Extensions")
	}
	origin := r.HeaderList("Origin")
	if strings.Contains(origin, ", ") {
		return Agreement{}, badRequest("more than one Origin")
	}
	if !o.allows(r, origin) {
		return Agreement{}, &HandshakeError{403, fmt.Sprintf("origin %.100q is not allowed", strings.Clone(origin))}
	}
	a := Agreement{Deflate: o.Compression.accept(extensions)}
	for _, name := range offered {
		if i := slices.Index(o.Subprotocols, name); i >= 0 {
			a.Subprotocol = o.Subprotocols[i]
			break
		}
	}
	return a, nil
}

// checkRequest checks what RFC 6455 section 4.2.1 demands of every opening handshake.
func checkRequest(r *web.Request) *HandshakeError {
	switch {
	case r.Method() != "GET":
		return &HandshakeError{405, "method is not GET"}
	case r.Protocol() != "HTTP/1.1":
		return badRequest("not HTTP/1.1")
	case r.ContentLength() != 0:
		// Its bytes could be taken for frames, or frames for its bytes.
		return badRequest("request with a body")
	case !hasToken(r.HeaderList("Upgrade"), "websocket") || !hasToken(r.HeaderList("Connection"), "upgrade"):
		return &HandshakeError{426, "no upgrade to a WebSocket"}
	case r.HeaderList("Sec-WebSocket-Version") != "13":
		return &HandshakeError{426, "Sec-WebSocket-Version is not 13"}
	case !validKey(r.HeaderList("Sec-WebSocket-Key")):
		return badRequest("Sec-WebSocket-Key is not 16 bytes in base64")
	}
	return nil
}

func badRequest(reason string) *HandshakeError { return &HandshakeError{400, reason} }

// validKey reports whether key is 16 bytes in base64, RFC 6455 section 4.2.1.
func validKey(key string) bool {
	if len(key) != 24 {
		return false
	}
	var raw [18]byte
	n, err := base64.StdEncoding.Decode(raw[:], []byte(key))
	return err == nil && n == 16
}

// allows decides about the origin, RFC 6455 section 10.2.
func (o *Options) allows(r *web.Request, origin string) bool {
	switch {
	case o.CheckOrigin != nil:
		return o.CheckOrigin(r)
	case origin == "":
		return true
	case o.Origins == nil:
		return sameOrigin(origin, r.Host())
	}
	for _, allowed := range o.Origins {
		if allowed == "*" || strings.EqualFold(allowed, origin) {
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
// malformed or belongs to the handshake, if a was not offered by the client, and if r is a
// request that Negotiate refuses for its form; then dst is returned as it was. It may be
// called from any goroutine.
func AppendAccept(dst []byte, r *web.Request, a Agreement, extra ...web.Field) ([]byte, error) {
	if e := checkRequest(r); e != nil {
		return dst, e
	}
	if a.Subprotocol != "" {
		offered, _ := parseSubprotocols(r.HeaderList("Sec-WebSocket-Protocol"))
		if !slices.Contains(offered, a.Subprotocol) {
			return dst, fmt.Errorf("websocket: the client did not offer the subprotocol %.60q", a.Subprotocol)
		}
	}
	var offer deflateParameters
	if a.Deflate.Enabled {
		offers, _ := parseExtensions(r.HeaderList("Sec-WebSocket-Extensions"))
		var ok bool
		if offer, ok = a.Deflate.answers(offers); !ok {
			return dst, errors.New("websocket: the client did not offer this compression")
		}
	}
	start := len(dst)
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	dst = append(appendAcceptKey(dst, r.HeaderList("Sec-WebSocket-Key")), "\r\n"...)
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
