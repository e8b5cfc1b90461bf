// Chat is a chat with rooms for the browser: the page and its WebSocket on one port.
//
//	go run ./examples/chat
//
// Then open http://127.0.0.1:2346, in two windows or on a phone in the same network. People
// at a terminal may join in, since what a chat is (hub.go) knows nothing of protocols:
//
//	go run ./examples/chat -text text://127.0.0.1:2345
//	telnet 127.0.0.1 2345            # or nc
//
// With a certificate it serves https, and the page finds its WebSocket at wss:
//
//	go run ./examples/chat -listen https://0.0.0.0:443 -cert fullchain.pem -key privkey.pem
//
// Behind a proxy that ends TLS pass Upgrade, Connection and Host on to /ws, for nginx:
//
//	proxy_pass http://127.0.0.1:2346;
//	proxy_http_version 1.1;
//	proxy_set_header Upgrade $http_upgrade;
//	proxy_set_header Connection "upgrade";
//	proxy_set_header Host $http_host;
//
// Pages of other sites may not connect. If the proxy does not pass Host on, say which site
// is yours: -origins https://chat.example.com.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/workerman-go/workerman"
)

// maxUnread is how many bytes may wait for a client before it is dropped. A chat must not
// hoard messages for somebody who does not read them.
const maxUnread = 256 << 10

func main() {
	var h hub
	listen := flag.String("listen", "http://0.0.0.0:2346", "`http://ADDR` or https://ADDR to serve the page and its WebSocket on")
	lines := flag.String("text", "", "`text://ADDR` to serve telnet and nc on (default none)")
	cert := flag.String("cert", "", "PEM `file` with the certificate for https and the intermediate ones")
	key := flag.String("key", "", "PEM `file` with the private key, if it is not in the same")
	origins := flag.String("origins", "", "`list` of sites whose pages may connect, as https://a.example,https://b.example (default the page's own)")
	flag.IntVar(&h.keep, "history", 50, "`number` of messages that a room remembers")
	flag.DurationVar(&h.away, "away", 3*time.Second, "how long a browser may be gone, as for a reload, before the others are told, a `duration`")
	flag.DurationVar(&h.nameWait, "name-timeout", 30*time.Second, "close connections that gave no name for this `duration`")
	idle := flag.Duration("idle-timeout", 30*time.Minute, "close terminals that said nothing for this `duration`")
	flag.Parse()
	if h.keep < 1 || h.away < 0 || h.nameWait <= 0 {
		fmt.Fprintln(os.Stderr, "-history and -name-timeout must be above 0, -away not below")
		os.Exit(2)
	}

	site := workerman.NewWorker(*listen)
	site.Name = "chat"
	site.MaxPackageSize = maxPackage
	site.MaxSendBuffer = maxUnread
	site.FullPolicy = workerman.CloseWhenFull
	site.PingInterval = 30 * time.Second
	site.WebSocket.Compression.Enabled = true
	site.TLS = workerman.ServerTLS{CertFile: *cert, KeyFile: *key}
	if *origins != "" {
		site.WebSocket.Origins = strings.Split(*origins, ",")
	}
	h.serveWeb(site)

	if *lines != "" {
		text := workerman.NewWorker(*lines)
		text.Name = "chat-text"
		text.Inside = site // they share the rooms
		text.MaxPackageSize = maxPackage
		text.MaxSendBuffer = maxUnread
		text.FullPolicy = workerman.CloseWhenFull
		text.IdleTimeout = *idle
		h.serveText(text)
	}
	workerman.RunAll()
}
