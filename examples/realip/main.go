// Realip tells clients which address they have, also if there is a proxy between. It
// believes a proxy only if its address is one of -trust: every client can send the header
// fields of a proxy.
//
//	go run ./examples/realip -trust 127.0.0.0/8
//	curl -H 'X-Forwarded-For: 203.0.113.9' http://127.0.0.1:8083
//
// nginx in front of it:
//
//	server {
//	    listen 80;
//	    location / {
//	        proxy_pass http://127.0.0.1:8083;
//	        proxy_set_header Host $host;
//	        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
//	        proxy_set_header X-Forwarded-Proto $scheme;
//	    }
//	}
//
// A proxy that knows nothing of HTTP, as HAProxy or nginx in its stream mode, says the
// client's address ahead of everything else, by the PROXY protocol:
//
//	go run ./examples/realip -proxy-protocol
//	curl --haproxy-protocol http://127.0.0.1:8083
//
//	stream {
//	    server {
//	        listen 80;
//	        proxy_pass 127.0.0.1:8083;
//	        proxy_protocol on;
//	    }
//	}
package main

import (
	"flag"
	"fmt"
	"net/netip"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

func main() {
	listen := flag.String("listen", "http://127.0.0.1:8083", "`http://ADDR` to serve on")
	proxies := web.Proxies{}
	flag.Func("trust", "a proxy's `address or network`, as 10.0.0.0/8; may be repeated", func(s string) error {
		network, err := parseNetwork(s)
		proxies.Trusted = append(proxies.Trusted, network)
		return err
	})
	flag.StringVar(&proxies.Header, "header", "X-Forwarded-For", "the one header `field` in which the proxies name the client; may be Forwarded")
	proxyProtocol := flag.Bool("proxy-protocol", false, "expect the PROXY protocol, version 1 or 2, on every connection")
	flag.Parse()

	w := workerman.NewWorker(*listen)
	w.Name = "realip"
	w.TrustedProxies = proxies
	w.ProxyProtocol = *proxyProtocol
	w.OnRequest = func(c *workerman.Conn, r *web.Request) {
		scheme := proxies.Scheme(r, c.RemoteIP())
		if scheme == "" {
			scheme = "http" // no proxy says otherwise
		}
		c.Respond(web.Text(fmt.Sprintf("client %v\npeer   %v\nurl    %s://%s%s\n",
			c.ClientIP(r), c.RemoteAddr(), scheme, proxies.Host(r, c.RemoteIP()), r.Target())))
	}
	workerman.RunAll()
}

// parseNetwork reads an address, which stands for itself, or a network.
func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Prefix(a.BitLen())
	}
	return netip.ParsePrefix(s)
}
