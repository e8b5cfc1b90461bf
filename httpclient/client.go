package httpclient

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/workerman-go/workerman"
)

// Client sends requests and keeps connections for the next ones. The zero value is ready to
// use. Set its fields before the first request, and do not copy it afterwards. Its methods
// may be called from every goroutine and do not wait.
//
// A request gets one answer or one error; none is sent again, except that net/http does so
// on a new connection if the server had closed an idle one before it took a request that is
// safe to repeat. An answer with a status such as 404 or 500 is no error.
type Client struct {
	// Timeout bounds a request from its call to the end of the answer. Default 30 s; below 0
	// never.
	Timeout time.Duration
	// ConnectTimeout bounds the look-up of the name, TCP and, on its own, the handshake of
	// TLS. Default 10 s.
	ConnectTimeout time.Duration
	// IdleTimeout is how long a server may be silent: before the answer begins, once it has
	// the request, and in the middle of it. Time in which a Call is paused does not count.
	// Default 30 s; below 0 never.
	IdleTimeout time.Duration
	// MaxBody is the largest body of an answer, unpacked, in bytes; a larger one is an error
	// that is workerman.ErrTooLarge. Default 10 MiB. It is not for Stream.
	MaxBody int64
	// MaxConnsPerHost is how many connections to one host and port there may be; requests
	// beyond wait for their turn. As many are kept open when they have nothing to do. Default
	// 128.
	MaxConnsPerHost int
	// KeepAlive is how long a connection is kept open that has nothing to do. Default 15 s.
	KeepAlive time.Duration
	// MaxRedirects is how many redirects are followed. Default 5; below 0 none, and a
	// redirect is the answer.
	MaxRedirects int
	// Proxy leads through a proxy: http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT,
	// with USER:PASSWORD@ in front of the host if need be, or "none". Default: what the
	// environment variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY say.
	Proxy string
	// TLS are the settings of encryption, as an own authority in RootCAs. It is copied.
	// Certificates are verified unless InsecureSkipVerify says otherwise.
	TLS *tls.Config
	// Header are fields for every request that does not have them.
	Header http.Header
	// Jar keeps cookies from one request to the next. Default: none are kept.
	Jar http.CookieJar
	// Transport replaces what sends the requests. Then ConnectTimeout, MaxConnsPerHost,
	// KeepAlive, Proxy and TLS have no meaning, nor has IdleTimeout before an answer begins.
	Transport http.RoundTripper

	once  sync.Once
	inner *http.Client
	fault error // a mistake in the settings
}

// Defaults of Client.
const (
	DefaultTimeout         = 30 * time.Second
	DefaultConnectTimeout  = 10 * time.Second
	DefaultIdleTimeout     = 30 * time.Second
	DefaultMaxBody         = 10 << 20
	DefaultMaxConnsPerHost = 128
	DefaultKeepAlive       = 15 * time.Second
	DefaultMaxRedirects    = 5
)

// Get asks for a URL. done is called as in Do.
func (c *Client) Get(on workerman.Poster, url string, done func(*Response, error)) *Call {
	return c.do(on, http.MethodGet, url, nil, "", done)
}

// Post sends a body of a type such as application/json. The body must not change before
// done is called, as in Do.
func (c *Client) Post(on workerman.Poster, url, contentType string, body []byte, done func(*Response, error)) *Call {
	return c.do(on, http.MethodPost, url, bytes.NewReader(body), contentType, done)
}

// PostForm sends fields as forms of HTML do, application/x-www-form-urlencoded. done is
// called as in Do.
func (c *Client) PostForm(on workerman.Poster, url string, fields url.Values, done func(*Response, error)) *Call {
	return c.do(on, http.MethodPost, url, strings.NewReader(fields.Encode()), "application/x-www-form-urlencoded", done)
}

func (c *Client) do(on workerman.Poster, method, url string, body io.Reader, contentType string, done func(*Response, error)) *Call {
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		return c.begin(on, nil, err, whole(done))
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return c.Do(on, r, done)
}

// Do sends a request made by net/http's NewRequest, and calls done once on on's loop, never
// before it has returned: with the answer and its whole body, or with an error. r belongs to
// the call from now on. If on is a connection that closes meanwhile the request is cancelled
// and done is not called.
//
// Errors are *url.Error and answer errors.Is and errors.As: context.DeadlineExceeded for
// each of the timeouts, workerman.ErrTooLarge, *net.OpError, *net.DNSError, those of
// crypto/tls and crypto/x509, and *workerman.PanicError if the request's body or the
// Transport panics.
func (c *Client) Do(on workerman.Poster, r *http.Request, done func(*Response, error)) *Call {
	return c.begin(on, r, nil, whole(done))
}

// Stream is Do for answers that are large or have no end, whose body comes in pieces.
// Timeout counts for it too, MaxBody does not.
func (c *Client) Stream(on workerman.Poster, r *http.Request, events Events) *Call {
	return c.begin(on, r, nil, exchange{events: events})
}

// CloseIdle closes the connections that have nothing to do.
func (c *Client) CloseIdle() {
	c.once.Do(c.prepare)
	c.inner.CloseIdleConnections()
}

// prepare turns the settings into those of net/http.
func (c *Client) prepare() {
	setDefault(&c.Timeout, DefaultTimeout)
	setDefault(&c.ConnectTimeout, DefaultConnectTimeout)
	setDefault(&c.IdleTimeout, DefaultIdleTimeout)
	setDefault(&c.MaxBody, DefaultMaxBody)
	setDefault(&c.MaxConnsPerHost, DefaultMaxConnsPerHost)
	setDefault(&c.KeepAlive, DefaultKeepAlive)
	setDefault(&c.MaxRedirects, DefaultMaxRedirects)
	c.inner = &http.Client{Transport: c.Transport, Jar: c.Jar, CheckRedirect: c.redirect}
	if c.Transport == nil {
		c.inner.Transport, c.fault = c.transport()
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c *Client) transport() (*http.Transport, error) {
	proxy, err := c.proxy()
	t := &http.Transport{
		Proxy:                 proxy,
		DialContext:           (&net.Dialer{Timeout: c.ConnectTimeout}).DialContext,
		TLSHandshakeTimeout:   c.ConnectTimeout,
		ResponseHeaderTimeout: max(c.IdleTimeout, 0),
		MaxConnsPerHost:       c.MaxConnsPerHost,
		MaxIdleConnsPerHost:   c.MaxConnsPerHost,
		IdleConnTimeout:       c.KeepAlive,
		ExpectContinueTimeout: time.Second,
		ForceAttemptHTTP2:     true,
	}
	if c.TLS != nil {
		t.TLSClientConfig = c.TLS.Clone()
	}
	return t, err
}

// proxy says which proxy leads to an address.
func (c *Client) proxy() (func(*http.Request) (*url.URL, error), error) {
	switch c.Proxy {
	case "":
		return http.ProxyFromEnvironment, nil
	case "none":
		return nil, nil
	}
	u, err := url.Parse(c.Proxy)
	switch {
	case err != nil:
		return nil, errors.New("httpclient: Proxy is no URL") // which may hold a password
	case u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" && u.Scheme != "socks5h":
		return nil, fmt.Errorf("httpclient: Proxy is %s; it must be http://, https:// or socks5://, and HOST:PORT", u.Redacted())
	}
	return http.ProxyURL(u), nil
}

// redirect is asked before a redirect is followed.
func (c *Client) redirect(_ *http.Request, via []*http.Request) error {
	switch {
	case c.MaxRedirects < 0:
		return http.ErrUseLastResponse
	case len(via) > c.MaxRedirects:
		return fmt.Errorf("more than %d redirects", c.MaxRedirects)
	}
	return nil
}
