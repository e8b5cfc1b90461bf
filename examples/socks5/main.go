// Socks5 is a SOCKS5 proxy (RFC 1928): clients reach other servers through it.
//
//	go run ./examples/socks5
//	curl --socks5-hostname 127.0.0.1:1080 https://example.com/
//	ncat --proxy 127.0.0.1:1080 --proxy-type socks5 example.com 80
//
// With users it asks for a password (RFC 1929), and ports can be forbidden:
//
//	go run ./examples/socks5 -user ann:apple -user bob:banana -port 80 -port 443
//	curl --proxy socks5h://ann:apple@127.0.0.1:1080 https://example.com/
//
// CONNECT to names, IPv4 and IPv6 addresses is done, names are looked up here. BIND and UDP
// ASSOCIATE are refused, as the RFC says how. Each stage of the negotiation is a Protocol of
// its own that the connection has for a while (negotiation.go); at the end there is none, and
// two connections are piped together (session.go), the faster waiting for the slower.
//
// Without users, keep it on an address that strangers cannot reach.
package main

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/workerman-go/workerman"
)

// server holds the settings.
type server struct {
	passwords map[string]string // by user; none are asked for if it is empty
	ports     []uint16          // that may be connected to; empty means all
	wait      time.Duration     // for a server to accept
	idle      time.Duration     // silence that ends a connection
}

func main() {
	s := &server{passwords: make(map[string]string)}
	listen := flag.String("listen", "tcp://127.0.0.1:1080", "`tcp://ADDR` to serve on")
	flag.Func("user", "`NAME:PASSWORD` that lets a client in; may be repeated", func(text string) error {
		name, password, ok := strings.Cut(text, ":")
		if !ok || name == "" || password == "" || len(name) > 255 || len(password) > 255 {
			return fmt.Errorf("a user is NAME:PASSWORD, of 1 to 255 bytes each")
		}
		s.passwords[name] = password
		return nil
	})
	flag.Func("port", "`port` that clients may connect to; may be repeated (default all)", func(text string) error {
		port, err := strconv.ParseUint(text, 10, 16)
		s.ports = append(s.ports, uint16(port))
		return err
	})
	flag.DurationVar(&s.wait, "wait", 10*time.Second, "how long a server may take to accept a connection, as `duration`")
	flag.DurationVar(&s.idle, "idle", 10*time.Minute, "end connections that are silent for this `duration`")
	handshake := flag.Duration("handshake", 10*time.Second, "close clients that have not said what they want after this `duration`")
	clients := flag.Int("clients", 1000, "`number` of clients at a time, and a tenth of it from one address")
	flag.Parse()

	w := workerman.NewWorker(*listen)
	w.Name = "socks5"
	w.Protocol = stageMethods
	w.MaxPackageSize = 1 << 10 // no message of the negotiation is larger
	w.MaxConnections, w.MaxConnectionsPerIP = *clients, max(*clients/10, 1)
	w.IdleTimeout = s.idle
	w.OnConnect = func(c *workerman.Conn) {
		one := &session{server: s}
		one.limit = c.After(*handshake, c.Close)
		c.Data = one
	}
	w.OnMessage = func(c *workerman.Conn, data []byte) { c.Data.(*session).message(c, data) }
	workerman.RunAll()
}

// allows reports whether a port may be connected to.
func (s *server) allows(port uint16) bool {
	return len(s.ports) == 0 || slices.Contains(s.ports, port)
}
