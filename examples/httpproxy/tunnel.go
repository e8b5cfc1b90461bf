package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// connect makes a tunnel of the connection (RFC 9110 section 9.3.6).
func (p *proxy) connect(c *workerman.Conn, r *web.Request) {
	_, text, err := net.SplitHostPort(r.Host())
	port, wrong := strconv.ParseUint(text, 10, 16)
	switch {
	case err != nil || wrong != nil:
		c.Respond(web.Status(400))
		return
	case len(p.ports) > 0 && !slices.Contains(p.ports, uint16(port)):
		c.Respond(web.Status(403))
		return
	}
	p.join(c, r.Host(), func(u *workerman.Conn) {
		c.SendRaw([]byte("HTTP/1.1 200 Connection established\r\n\r\n"))
		pipe(c, u)
	})
}

// upgrade passes a request for another protocol on. If the server agrees, the rest is a
// tunnel; if not, the client is told, without the words of the server: what follows them
// would be requests again, maybe for others.
func (p *proxy) upgrade(c *workerman.Conn, r *web.Request) {
	target, err := url.Parse(r.Target())
	if err != nil || target.Host == "" || r.ContentLength() != 0 {
		c.Respond(web.Status(400))
		return
	}
	address := target.Host
	if target.Port() == "" {
		address = net.JoinHostPort(target.Hostname(), "80")
	}
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method(), target.RequestURI(), target.Host)
	for name, value := range passed(r.Headers()) {
		request += name + ": " + value + "\r\n"
	}
	request += "Via: 1.1 workerman\r\nConnection: Upgrade\r\nUpgrade: " + r.Header("Upgrade") + "\r\n\r\n"
	p.join(c, address, func(u *workerman.Conn) {
		const agreed = "HTTP/1.1 101 "
		var begin []byte
		u.Callbacks().OnMessage = func(_ *workerman.Conn, data []byte) {
			begin = append(begin, data...)
			switch {
			case bytes.HasPrefix(begin, []byte(agreed)):
				c.SendRaw(begin)
				pipe(c, u)
			case len(begin) >= len(agreed):
				fail(c, 502)
			}
		}
		u.SendRaw([]byte(request))
	})
}

// join takes the connection out of HTTP, so that what follows is bytes, which wait until
// there is a server to take them.
func (p *proxy) join(c *workerman.Conn, address string, connected func(u *workerman.Conn)) {
	c.PauseRecv()
	c.SetProtocol(nil)
	up := c.NewClient("tcp://" + address)
	up.ConnectTimeout, up.IdleTimeout = p.wait, p.idle
	up.OnConnect = connected
	up.OnError = func(_ *workerman.Conn, err error) {
		if errors.Is(err, workerman.ErrConnectTimeout) {
			fail(c, 504)
		} else {
			fail(c, 502)
		}
	}
	up.OnClose = func(*workerman.Conn) { fail(c, 502) } // if it has not been joined
	c.Callbacks().OnClose = func(*workerman.Conn) { up.Close() }
	if up.Connect() != nil {
		fail(c, 400)
	}
}

// pipe joins both connections, the faster waiting for the slower.
func pipe(c, u *workerman.Conn) {
	u.Callbacks().OnClose = nil
	u.Pipe(c)
	c.Pipe(u)
	c.ResumeRecv()
}

// fail answers in the words of HTTP, which the connection does not speak any more.
func fail(c *workerman.Conn, status int) {
	answer := web.Status(status)
	answer.Close = true
	c.CloseWith(answer.Append(nil, web.Exchange{}, nil))
}
