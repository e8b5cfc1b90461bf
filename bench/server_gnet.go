package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/logging"
	"golang.org/x/sys/unix"
)

// gnetEcho is the echo of gnet's own documentation.
type gnetEcho struct {
	gnet.BuiltinEventEngine
	network string
}

// OnBoot runs when the listener is bound. gnet has no call for the port the
// kernel chose, so it is asked of the socket.
func (e *gnetEcho) OnBoot(eng gnet.Engine) gnet.Action {
	if err := e.announce(eng); err != nil {
		fmt.Fprintln(os.Stderr, "gnet:", err)
		return gnet.Shutdown
	}
	return gnet.None
}

func (e *gnetEcho) announce(eng gnet.Engine) error {
	fd, err := eng.Dup()
	if err != nil {
		return fmt.Errorf("duplicate the listener: %w", err)
	}
	defer unix.Close(fd)
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return fmt.Errorf("name of the listener: %w", err)
	}
	sa4, ok := sa.(*unix.SockaddrInet4)
	if !ok {
		return fmt.Errorf("the listener is not on an IPv4 address: %T", sa)
	}
	at := netip.AddrPortFrom(netip.AddrFrom4(sa4.Addr), uint16(sa4.Port))
	printListening(net.TCPAddrFromAddrPort(at))
	return nil
}

func (e *gnetEcho) OnTraffic(c gnet.Conn) gnet.Action {
	buf, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	if _, err := c.Write(buf); err != nil && e.network == "tcp" {
		return gnet.Close
	}
	return gnet.None
}

func serveGnet(cfg serverConfig) error {
	return gnet.Run(&gnetEcho{network: cfg.Network}, cfg.Network+"://127.0.0.1:0",
		gnet.WithNumEventLoop(1), gnet.WithLogLevel(logging.ErrorLevel))
}
