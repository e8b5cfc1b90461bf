package main

import (
	"crypto/tls"
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

// connectAll opens the connections of a run, with the handshakes that the protocol
// has, and exchanges one probe on each, so all are known to be accepted and
// served when it returns. The sockets are in blocking mode, each call bounded
// by a timeout.
func connectAll(cfg clientConfig) ([]wire, error) {
	limit, err := raiseFileLimit()
	if err != nil {
		return nil, err
	}
	if cfg.conns > limit-spareFiles {
		return nil, fmt.Errorf("%d connections do not fit in the limit of %d open files", cfg.conns, limit)
	}
	var secure *tls.Config
	if cfg.tls() {
		if secure, err = tlsClient(cfg); err != nil {
			return nil, err
		}
	}
	probe, err := newProbe(cfg.load)
	if err != nil {
		return nil, err
	}
	wires := make([]wire, 0, cfg.conns)
	for len(wires) < cfg.conns {
		first := len(wires)
		for len(wires) < min(first+connectWave, cfg.conns) {
			w, err := connectOne(cfg, len(wires)/connsPerSource, secure)
			if err != nil {
				return nil, fmt.Errorf("connection %d: %w", len(wires), err)
			}
			wires = append(wires, w)
		}
		if err := greet(cfg, wires[first:], probe); err != nil {
			return nil, fmt.Errorf("connections from %d on: %w", first, err)
		}
	}
	return wires, nil
}

// greet takes a wave of connections through the handshake of the WebSocket and
// the probe. The server gets all of a step before the first answer is read.
func greet(cfg clientConfig, wave []wire, probe dialog) error {
	if cfg.websocket() {
		for _, w := range wave {
			if err := writeAll(w, upgradeRequest(cfg.Deflate)); err != nil {
				return fmt.Errorf("send the handshake: %w", err)
			}
		}
		for _, w := range wave {
			if err := readUpgrade(w, cfg.Deflate); err != nil {
				return err
			}
		}
	}
	for i, w := range wave {
		if err := writeAll(w, probe.burst(i, 0)); err != nil {
			return fmt.Errorf("send the probe: %w", err)
		}
	}
	for i, w := range wave {
		if err := readBurst(w, probe, i); err != nil {
			return fmt.Errorf("the probe: %w", err)
		}
	}
	return nil
}

// readBurst reads what comes back of a connection's burst 0 from a blocking wire.
func readBurst(w wire, d dialog, i int) error {
	var in []byte
	at, buf := 0, make([]byte, 4<<10)
	for {
		n, err := readSome(w, buf)
		if err != nil {
			return err
		}
		in = append(in, buf[:n]...)
		used, done, err := d.check(i, 0, &at, in)
		if done || err != nil {
			return err
		}
		in = in[used:]
	}
}

// connectOne opens a connection from the loopback address 127.0.0.(1+source).
// It is closed with a reset, so a run leaves no port behind in TIME_WAIT.
func connectOne(cfg clientConfig, source int, secure *tls.Config) (wire, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
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
			return nil, fmt.Errorf("set a socket option: %w", set)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + source)}}); err != nil {
		return nil, fmt.Errorf("bind: %w", err)
	}
	to := &unix.SockaddrInet4{Addr: cfg.addr.Addr().As4(), Port: int(cfg.addr.Port())}
	if err := unix.Connect(fd, to); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", cfg.addr, err)
	}
	if secure != nil {
		return startTLS(fd, secure, cfg.cipher)
	}
	return rawWire(fd), nil
}

// watchAll makes the sockets non-blocking and watches them for edges; an event carries
// the index of its connection.
func watchAll(wires []wire, events uint32) (int, error) {
	fds := make([]int, len(wires))
	for i, w := range wires {
		fds[i] = w.fd()
		if err := unix.SetNonblock(fds[i], true); err != nil {
			return 0, err
		}
	}
	ep, err := newEpoll(fds, events)
	if err != nil {
		return 0, fmt.Errorf("epoll: %w", err)
	}
	return ep, nil
}

// readSome reads a blocking wire, at least one byte.
func readSome(w wire, b []byte) (int, error) {
	for {
		n, err := w.read(b)
		switch {
		case err == unix.EINTR: // by the scheduler's signals
		case err == nil && n == 0:
			return 0, io.EOF
		default:
			return n, err
		}
	}
}

// writeAll writes to a blocking wire.
func writeAll(w wire, b []byte) error {
	for len(b) > 0 {
		n, err := w.write(b)
		if err != nil && err != unix.EINTR {
			return err
		}
		b = b[n:]
	}
	return nil
}
