package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// Options of a listening socket.
type Options struct {
	ReusePort bool // SO_REUSEPORT: several sockets share one port
}

// KeepAlive is how long a silent connection waits for the first probe and between
// probes: below the minute after which home routers forget a connection.
const KeepAlive = 55 * time.Second

// KeepAliveConfig is KeepAlive for package net.
var KeepAliveConfig = net.KeepAliveConfig{Enable: true, Idle: KeepAlive, Interval: KeepAlive, Count: 1}

// Listen opens a stream listener. The error is the cause alone, without the address.
func Listen(a Address, o Options) (net.Listener, error) {
	lc := net.ListenConfig{Control: o.control, KeepAliveConfig: KeepAliveConfig}
	if a.Network != "unix" {
		ln, err := lc.Listen(context.Background(), a.goNetwork(), a.String())
		return ln, cause(err, a)
	}
	ln, err := lc.Listen(context.Background(), "unix", a.Path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeStale(a.Path); err != nil {
			return nil, err
		}
		ln, err = lc.Listen(context.Background(), "unix", a.Path)
	}
	if err != nil {
		return nil, cause(err, a)
	}
	// The owner removes the file when the service stops, not when a descriptor closes.
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	return ln, nil
}

// ListenPacket opens a UDP socket.
func ListenPacket(a Address, o Options) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: o.control}
	pc, err := lc.ListenPacket(context.Background(), a.goNetwork(), a.String())
	if err != nil {
		return nil, cause(err, a)
	}
	return pc.(*net.UDPConn), nil
}

// removeStale removes the file of a Unix socket that nobody listens on any more. A
// live socket, or a file that is no socket, is left alone and reported.
func removeStale(path string) error {
	if info, err := os.Lstat(path); err != nil {
		return err
	} else if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%w: a file that is no socket is there", syscall.EADDRINUSE)
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
		return fmt.Errorf("%w: another process serves this socket", syscall.EADDRINUSE)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w: the socket there cannot be asked whether it is alive: %w", syscall.EADDRINUSE, bare(err))
	}
	return os.Remove(path)
}

// bare strips the wrapping of package net, which repeats the address.
func bare(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns
	}
	return err
}

// cause turns an error of package net into one sentence for the person who can mend it.
func cause(err error, a Address) error {
	if err == nil {
		return nil
	}
	err = bare(err)
	switch {
	case errors.Is(err, syscall.EACCES) && a.Network != "unix" && a.Port != 0 && a.Port < 1024:
		return fmt.Errorf("%w: ports below 1024 need root or CAP_NET_BIND_SERVICE", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: %s is no address of this machine", err, a.Host)
	case errors.Is(err, syscall.EADDRINUSE) && a.Network != "unix":
		return fmt.Errorf("%w: another socket listens on port %d", err, a.Port)
	}
	return err
}
