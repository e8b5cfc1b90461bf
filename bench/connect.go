package main

import (
	"bytes"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

const (
	// connectWave connections are opened before the server is waited for, so
	// that its queue of unaccepted ones never overflows.
	connectWave = 64
	// connsPerSource connections come from one loopback address; more would
	// use up its ports.
	connsPerSource = 5000
)

// connectTCP opens n connections and exchanges one probe message on each, so
// all are known to be accepted and served when it returns. The sockets are in
// blocking mode, each call bounded by a timeout.
func connectTCP(cfg clientConfig) ([]int, error) {
	limit, err := raiseFileLimit()
	if err != nil {
		return nil, err
	}
	if cfg.conns > limit-spareFiles {
		return nil, fmt.Errorf("%d connections do not fit in the limit of %d open files", cfg.conns, limit)
	}
	probe := newPattern(cfg.size)[:cfg.size]
	got := make([]byte, cfg.size)
	fds := make([]int, 0, cfg.conns)
	for len(fds) < cfg.conns {
		first := len(fds)
		for len(fds) < min(first+connectWave, cfg.conns) {
			fd, err := connectOne(cfg, len(fds)/connsPerSource)
			if err != nil {
				return nil, fmt.Errorf("connection %d: %w", len(fds), err)
			}
			if _, err := unix.Write(fd, probe); err != nil {
				return nil, fmt.Errorf("connection %d: send the probe: %w", len(fds), err)
			}
			fds = append(fds, fd)
		}
		for i, fd := range fds[first:] {
			if _, err := io.ReadFull(fdReader(fd), got); err != nil {
				return nil, fmt.Errorf("connection %d: read the probe's echo: %w", first+i, err)
			}
			if !bytes.Equal(got, probe) {
				return nil, fmt.Errorf("connection %d: the probe's echo is wrong", first+i)
			}
		}
	}
	return fds, nil
}

// connectOne opens a connection from the loopback address 127.0.0.(1+source).
// It is closed with a reset, so a run leaves no port behind in TIME_WAIT.
func connectOne(cfg clientConfig, source int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	timeout := unix.Timeval{Sec: int64(stallLimit.Seconds())}
	for _, set := range []error{
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &timeout),
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
	} {
		if set != nil {
			return 0, fmt.Errorf("set a socket option: %w", set)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + source)}}); err != nil {
		return 0, fmt.Errorf("bind: %w", err)
	}
	to := &unix.SockaddrInet4{Addr: cfg.addr.Addr().As4(), Port: int(cfg.addr.Port())}
	if err := unix.Connect(fd, to); err != nil {
		return 0, fmt.Errorf("connect to %s: %w", cfg.addr, err)
	}
	return fd, nil
}

// fdReader reads a blocking socket.
type fdReader int

func (r fdReader) Read(b []byte) (int, error) {
	n, err := unix.Read(int(r), b)
	if err == nil && n == 0 {
		return 0, io.EOF
	}
	return max(n, 0), err
}
