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
	ctlErr := c.Control(func(p uintptr) {
		if o.ReusePort && network != "unix" {
			err = set(int(p), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}
		if err == nil && (network == "tcp4" || network == "tcp6") {
			err = setOptions(int(p))
		}
	})
	if ctlErr != nil {
		return ctlErr
	}
	return err
}

// setOptions sets the options of TCP sockets.
func setOptions(fd int) error {
	seconds := int(KeepAlive.Seconds())
	for _, o := range [...][3]int{
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 1},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
	} {
		if err := set(fd, o[0], o[1], o[2]); err != nil {
			return err
		}
	}
	return nil
}

func set(fd, level, option, value int) error {
	if err := unix.SetsockoptInt(fd, level, option, value); err != nil {
		return fmt.Errorf("socket option: %w", err)
	}
	return nil
}
