package web_test

import (
	"fmt"
	"net/netip"

	"github.com/workerman-go/workerman/web"
)

// A proxy at 10.0.0.1 appended the address of its peer to what a client had invented.
func ExampleProxies() {
	proxies := web.Proxies{
		Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Header:  "Forwarded",
	}
	var (
		parser  web.Parser
		request web.Request
	)
	parser.Parse(&request, []byte("GET / HTTP/1.1\r\nHost: inner:8080\r\n"+
		"Forwarded: for=127.0.0.1;proto=ftp, for=\"[2001:db8::7]:4711\";proto=https;host=example.com\r\n\r\n"))
	peer := netip.MustParseAddr("10.0.0.1")
	fmt.Println(proxies.ClientIP(&request, peer))
	fmt.Println(proxies.Scheme(&request, peer), proxies.Host(&request, peer))
	fmt.Println(proxies.ClientIP(&request, netip.MustParseAddr("192.0.2.1")))
	// Output:
	// 2001:db8::7
	// https example.com
	// 192.0.2.1
}
