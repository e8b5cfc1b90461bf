package nethttp

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/workerman-go/workerman/web"
)

// newRequest makes a request of net/http out of the head in r, with the fields that a
// net/http server gives it.
func (h *Handling) newRequest(r *web.Request) (*http.Request, error) {
	target, header := r.Target(), http.Header(r.HeaderMap())
	to, err := parseURL(r.Method(), target)
	if err != nil {
		return nil, &web.Error{Status: http.StatusBadRequest, Reason: err.Error()}
	}
	delete(header, "Host")
	if p := header["Pragma"]; len(p) > 0 && p[0] == "no-cache" && header["Cache-Control"] == nil {
		header["Cache-Control"] = []string{"no-cache"} // RFC 7234, section 5.4
	}
	request := http.Request{
		Method: r.Method(), URL: to, RequestURI: target, Proto: r.Protocol(), ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Host: r.Host(), ContentLength: r.ContentLength(), Close: !r.KeepAlive(),
		RemoteAddr: h.conn.RemoteName(), TLS: h.conn.TLSState(), Body: http.NoBody,
	}
	if request.Proto == "HTTP/1.0" {
		request.ProtoMinor = 0
	}
	if request.ContentLength < 0 {
		delete(header, "Transfer-Encoding")
		request.TransferEncoding = []string{"chunked"}
		request.Trailer = announcedTrailer(header)
	}
	if request.ContentLength != 0 {
		request.Body = (*requestBody)(h)
	}
	return request.WithContext(h.context), nil
}

// parseURL reads a request target: a path, an absolute URL, an authority or an asterisk
// (RFC 9112, section 3.2).
func parseURL(method, target string) (*url.URL, error) {
	if method != "CONNECT" || strings.HasPrefix(target, "/") {
		return url.ParseRequestURI(target)
	}
	u, err := url.ParseRequestURI("http://" + target)
	if err == nil {
		u.Scheme = ""
	}
	return u, err
}

// announcedTrailer takes the field Trailer out of the header: a map with its names as keys,
// whose values come with the end of the body.
func announcedTrailer(header http.Header) (trailer http.Header) {
	for _, list := range header["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.Trim(name, " \t"); name != "" {
				if trailer == nil {
					trailer = make(http.Header)
				}
				trailer[http.CanonicalHeaderKey(name)] = nil
			}
		}
	}
	delete(header, "Trailer")
	return trailer
}

// requestBody is a Handling as the Body of its request.
type requestBody Handling

var _ io.ReadCloser = (*requestBody)(nil)

// Read waits for more of the body. At the end the request has its trailers.
func (b *requestBody) Read(p []byte) (n int, err error) {
	n, err = b.in.read(p)
	if err == io.EOF {
		b.addTrailer()
	}
	return n, err
}

// Close drops the rest of the body.
func (b *requestBody) Close() error {
	b.in.close(http.ErrBodyReadAfterClose)
	return nil
}

// addTrailer gives the request the trailer that came behind the body.
func (b *requestBody) addTrailer() {
	b.in.mu.Lock()
	defer b.in.mu.Unlock()
	switch r := b.request; {
	case len(b.in.trailer) == 0:
	case r.Trailer == nil:
		r.Trailer = b.in.trailer
	default:
		maps.Copy(r.Trailer, b.in.trailer)
	}
	b.in.trailer = nil
}
