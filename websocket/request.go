package websocket

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// Request is a client's opening handshake, RFC 6455 section 4.2.1.
type Request struct {
	Target       string   // as sent: path and query
	Path         string   // without its escapes
	RawQuery     string   // behind the question mark, as sent
	Host         string   // as sent
	Origin       string   // as sent, empty if there is none
	Key          string   // Sec-WebSocket-Key
	Subprotocols []string // that the client offers, the preferred one first

	fields     header
	extensions []extension
}

// Header returns the value of the first header field of that name, in any case.
func (r *Request) Header(name string) string { return r.fields.get(name) }

// Fields returns all header fields in the order they came. They must not be changed.
func (r *Request) Fields() []Field { return r.fields }

// Query returns the first value of a parameter of the query.
func (r *Request) Query(name string) string {
	values, _ := url.ParseQuery(r.RawQuery)
	return values.Get(name)
}

// Cookie returns the value of a cookie, and whether it was sent.
func (r *Request) Cookie(name string) (string, bool) {
	for _, f := range r.fields {
		if !strings.EqualFold(f.Name, "Cookie") {
			continue
		}
		for pair := range strings.SplitSeq(f.Value, ";") {
			key, value, _ := strings.Cut(trim(pair), "=")
			if key == name {
				if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
					value = value[1 : n-1]
				}
				return value, true
			}
		}
	}
	return "", false
}

// ParseRequest returns the opening handshake at the beginning of buf and its length. 0
// and no error mean that it is not complete. The request owns its memory. An error is a
// *HandshakeError: 400 for what is no valid handshake, 405 for another method than GET,
// 426 if the client does not ask for a WebSocket of version 13, 431 for a head of more
// than MaxHeadSize bytes. A first line that cannot be right is refused before the rest
// has arrived.
func ParseRequest(buf []byte) (r *Request, n int, err error) {
	const method = "GET "
	if start := string(buf[:min(len(buf), len(method))]); start != method[:len(start)] {
		return nil, 0, wrongMethod(buf)
	}
	n, ok := endOfHead(buf)
	if !ok {
		return nil, 0, &HandshakeError{http.StatusRequestHeaderFieldsTooLarge, "head of more than 16 KiB"}
	}
	if n == 0 {
		return nil, 0, nil
	}
	line, fields, err := parseHead(string(buf[:n]))
	if err != nil {
		return nil, 0, badRequest(err.Error())
	}
	target, proto, ok := strings.Cut(line[len(method):], " ")
	if !ok {
		return nil, 0, badRequest("malformed request line")
	}
	if proto != "HTTP/1.1" {
		return nil, 0, badRequest("not HTTP/1.1")
	}
	r, err = newRequest(target, fields)
	if err != nil {
		return nil, 0, err
	}
	return r, n, nil
}

// NewRequest is ParseRequest for a request of HTTP/1.1 that was already parsed by other
// means. fields has the Host field too, and all fields of a name that came more than
// once.
func NewRequest(method, target string, fields []Field) (*Request, error) {
	if method != http.MethodGet {
		return nil, &HandshakeError{http.StatusMethodNotAllowed, "method is not GET"}
	}
	return newRequest(target, fields)
}

func badRequest(reason string) *HandshakeError {
	return &HandshakeError{http.StatusBadRequest, reason}
}

// wrongMethod tells another method of HTTP from what is no HTTP.
func wrongMethod(buf []byte) *HandshakeError {
	for i, c := range buf[:min(len(buf), 20)] {
		if c == ' ' && i > 0 {
			return &HandshakeError{http.StatusMethodNotAllowed, "method is not GET"}
		}
		if c < 'A' || c > 'Z' {
			return badRequest("no HTTP request")
		}
	}
	return &HandshakeError{http.StatusMethodNotAllowed, "method is not GET"}
}

func newRequest(target string, fields header) (*Request, error) {
	r := &Request{fields: fields}
	if err := r.setTarget(target); err != nil {
		return nil, err
	}
	var ok bool
	if r.Host, ok = fields.one("Host"); !ok || !validHost(r.Host) {
		return nil, badRequest("not exactly one valid Host")
	}
	if fields.joined("Transfer-Encoding") != "" || strings.Trim(fields.joined("Content-Length"), "0") != "" {
		return nil, badRequest("request with a body")
	}
	if !fields.hasToken("Upgrade", "websocket") || !fields.hasToken("Connection", "Upgrade") {
		return nil, &HandshakeError{http.StatusUpgradeRequired, "no upgrade to a WebSocket"}
	}
	if version, ok := fields.one("Sec-WebSocket-Version"); !ok || version != "13" {
		return nil, &HandshakeError{http.StatusUpgradeRequired, "Sec-WebSocket-Version is not 13"}
	}
	if r.Key, ok = fields.one("Sec-WebSocket-Key"); !ok || !validKey(r.Key) {
		return nil, badRequest("Sec-WebSocket-Key is not 16 bytes in base64")
	}
	if r.Subprotocols, ok = parseSubprotocols(fields.joined("Sec-WebSocket-Protocol")); !ok {
		return nil, badRequest("malformed Sec-WebSocket-Protocol")
	}
	if r.extensions, ok = parseExtensions(fields.joined("Sec-WebSocket-Extensions")); !ok {
		return nil, badRequest("malformed Sec-WebSocket-Extensions")
	}
	if r.Origin, ok = fields.one("Origin"); !ok && fields.has("Origin") {
		return nil, badRequest("more than one Origin")
	}
	return r, nil
}

// setTarget takes the request target, RFC 9112 section 3.2: a path, or a whole URL, of
// which the path counts, as clients behind proxies send it.
func (r *Request) setTarget(target string) error {
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return badRequest("malformed request target")
		}
	}
	if scheme, rest, ok := strings.Cut(target, "://"); ok && !strings.HasPrefix(target, "/") {
		switch strings.ToLower(scheme) {
		case "http", "https", "ws", "wss":
		default:
			return badRequest("malformed request target")
		}
		i := strings.IndexAny(rest, "/?")
		switch {
		case i < 0:
			target = "/"
		case rest[i] == '?':
			target = "/" + rest[i:]
		default:
			target = rest[i:]
		}
	}
	path, query, _ := strings.Cut(target, "?")
	unescaped, err := url.PathUnescape(path)
	if err != nil || !strings.HasPrefix(path, "/") {
		return badRequest("malformed request target")
	}
	r.Target, r.Path, r.RawQuery = target, unescaped, query
	return nil
}

// validHost reports whether s can be a host with or without a port. It does not resolve
// anything: it keeps out what would mean something else where Host is used.
func validHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"#/<>?@\^{|}`+"`,", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// validKey reports whether key is 16 bytes in base64, RFC 6455 section 4.2.1.
func validKey(key string) bool {
	if len(key) != 24 {
		return false
	}
	var raw [18]byte
	n, err := base64.StdEncoding.Decode(raw[:], []byte(key))
	return err == nil && n == 16
}
