package main

import (
	"net"
	"strconv"
	"strings"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// sendOn makes a worker send browsers to the same page of another one, which has TLS.
func sendOn(from, to *workerman.Worker) {
	from.Name = "redirect"
	from.Inside = to // whose port it has to know
	from.OnRequest = func(c *workerman.Conn, r *web.Request) {
		location := "https://" + secureHost(r.Host(), to.Addr().(*net.TCPAddr).Port) + r.RawPath()
		if query := r.RawQuery(); query != "" {
			location += "?" + query
		}
		c.Respond(web.Redirect(location, 308)) // which keeps method and body
	}
}

// secureHost is the host that a client has asked for, with another port.
func secureHost(host string, port int) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]") // an IPv6 address stands in brackets
	if port == 443 {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
