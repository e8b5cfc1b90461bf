// Httpproxy is a proxy for browsers and curl: they reach other servers through it.
//
//	go run ./examples/httpproxy
//	curl -x http://127.0.0.1:3128 http://example.com/
//	curl -x http://127.0.0.1:3128 https://example.com/
//
// With users it asks for a password:
//
//	go run ./examples/httpproxy -user ann:apple
//	curl -x http://ann:apple@127.0.0.1:3128 https://example.com/
//
// CONNECT, which browsers use for https and WebSockets, and requests to upgrade to another
// protocol join two connections and do not look at what passes (tunnel.go). Other requests are
// sent on by the package httpclient, and bodies pass in pieces, no faster than who they are
// for reads (forward.go, upload.go).
//
// Without users, keep it on an address that strangers cannot reach.
package main

import (
	"crypto/subtle"
	"encoding/base64"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/httpclient"
	"github.com/workerman-go/workerman/web"
)

// proxy holds the settings.
type proxy struct {
	users  []string // "NAME:PASSWORD"; none are asked for if it is empty
	ports  []uint16 // that CONNECT may lead to; empty means all
	wait   time.Duration
	idle   time.Duration
	client httpclient.Client
}

func main() {
	p := new(proxy)
	listen := flag.String("listen", "http://127.0.0.1:3128", "`http://ADDR` to serve on")
	flag.Func("user", "`NAME:PASSWORD` that lets a client in; may be repeated", func(text string) error {
		name, password, _ := strings.Cut(text, ":")
		if name == "" || password == "" {
			return fmt.Errorf("a user is NAME:PASSWORD")
		}
		p.users = append(p.users, text)
		return nil
	})
	flag.Func("port", "`port` that CONNECT may lead to; may be repeated (default all)", func(text string) error {
		port, err := strconv.ParseUint(text, 10, 16)
		p.ports = append(p.ports, uint16(port))
		return err
	})
	flag.DurationVar(&p.wait, "wait", 10*time.Second, "how long a server may take to accept a connection, as `duration`")
	flag.DurationVar(&p.idle, "idle", 10*time.Minute, "end tunnels that are silent for this `duration`")
	clients := flag.Int("clients", 1000, "`number` of connections of clients at a time")
	flag.Parse()

	// Redirects are for the client to follow, and an answer may take as long as it likes, if
	// only something comes.
	p.client = httpclient.Client{Timeout: -1, ConnectTimeout: p.wait, IdleTimeout: time.Minute, MaxRedirects: -1, Proxy: "none"}
	w := workerman.NewWorker(*listen)
	w.Name = "httpproxy"
	w.MaxConnections = *clients
	w.IdleTimeout = p.idle
	w.HTTP.Body, w.HTTP.MaxBody = web.Stream, -1 // passed on as they come
	w.OnRequest = p.request
	workerman.RunAll()
}

// request does what a client asks for.
func (p *proxy) request(c *workerman.Conn, r *web.Request) {
	switch {
	case !p.admits(r.Header("Proxy-Authorization")):
		c.Respond(web.Status(407).Set("Proxy-Authenticate", `Basic realm="proxy"`))
	case r.Method() == "CONNECT":
		p.connect(c, r)
	case !strings.HasPrefix(strings.ToLower(r.Target()), "http://"):
		refusal := web.Text("This is a proxy: it takes requests for http://HOST/PATH, and CONNECT.\n")
		refusal.Status = 400
		c.Respond(refusal)
	case r.Header("Upgrade") != "":
		p.upgrade(c, r)
	default:
		p.forward(c, r)
	}
}

// admits reads Basic credentials, in a time that does not tell how much was right.
func (p *proxy) admits(credentials string) bool {
	if len(p.users) == 0 {
		return true
	}
	scheme, encoded, _ := strings.Cut(credentials, " ")
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !strings.EqualFold(scheme, "Basic") {
		return false
	}
	return slices.ContainsFunc(p.users, func(user string) bool { return subtle.ConstantTimeCompare([]byte(user), text) == 1 })
}
