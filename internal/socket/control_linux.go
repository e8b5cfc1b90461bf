package socket

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// control sets the options of a socket before it is bound. Accepted sockets inherit
// those of their TCP listener, which saves calls for each connection.
func (o Options) control(network, _ string, c syscall.RawConn) error {
	var err error
	set := func(fd, level, opt, value int) {
		if err == nil {
			err = unix.SetsockoptInt(fd, level, opt, value)
		}
	}
	ctlErr := c.Control(func(p uintptr) {
		fd := int(p)
		if o.ReusePort && network != "unix" {
			set(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}
		if network == "tcp4" || network == "tcp6" {
			seconds := int(KeepAlive.Seconds())
			set(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
			set(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds)
			set(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds)
			set(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 1)
			set(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		}
	})
	if ctlErr != nil {
		return ctlErr
	}
	if err != nil {
		return fmt.Errorf("socket option: %w", err)
	}
	return nil
}
