package loop

import (
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/workerman-go/workerman/internal/poll"
	"github.com/workerman-go/workerman/internal/socket"
)

// A stream's socket: a descriptor in epoll with the native engine, a portConn with the
// portable one.

const errAgain = poll.Again

func newNative() (engine, bool, error) {
	e, err := poll.NewEpoll()
	return (*epollEngine)(e), true, err
}

type epollEngine poll.Epoll

func (e *epollEngine) wait(events []poll.Event, timeout int) (int, error) {
	if timeout == 0 {
		return (*poll.Epoll)(e).Poll(events)
	}
	return (*poll.Epoll)(e).Wait(events, timeout)
}

func (e *epollEngine) wake()  { (*poll.Epoll)(e).Wake() }
func (e *epollEngine) close() { (*poll.Epoll)(e).Close() }

func (l *Loop) epoll() *poll.Epoll {
	l.counters.Ctls.Add(1)
	return (*poll.Epoll)(l.engine.(*epollEngine))
}

func (s *Stream) sysOpen() error {
	if port := s.port(); port != nil {
		port.open(s)
		return nil
	}
	return s.loop.epoll().Add(int(s.fd), s.token, poll.Readable, false)
}

func (s *Stream) sysRead(p []byte) (int, error) {
	if port := s.port(); port != nil {
		return port.read(p)
	}
	s.loop.counters.Reads++
	n, err := poll.Read(int(s.fd), p)
	if n == 0 && err == nil {
		return 0, io.EOF
	}
	return n, err
}

func (s *Stream) sysWrite(p []byte) (int, error) {
	if port := s.port(); port != nil {
		return port.write(p)
	}
	s.loop.counters.Writes.Add(1)
	return poll.Write(int(s.fd), p)
}

func (s *Stream) sysWritev(pieces [][]byte) (int, error) {
	if port := s.port(); port != nil {
		return port.writev(pieces)
	}
	s.loop.counters.Writes.Add(1)
	return poll.Writev(int(s.fd), pieces)
}

// sysSendsFiles reports whether sysSendFile serves this stream.
func (s *Stream) sysSendsFiles() bool { return s.layers == nil }

func (s *Stream) sysSendFile(f *os.File, offset int64, size int) (int, error) {
	s.loop.counters.Writes.Add(1)
	return poll.SendFile(int(s.fd), int(f.Fd()), offset, size)
}

// sysReset makes the coming close of a TCP socket a reset.
func (s *Stream) sysReset() {
	if port := s.port(); port != nil {
		port.reset()
		return
	}
	poll.ResetOnClose(int(s.fd))
}

func (s *Stream) sysInterest(want poll.Events) {
	switch {
	case s.port() != nil:
		s.port().watch(want)
	case s.parked:
		s.parked = false
		if err := s.loop.epoll().Add(int(s.fd), s.token, want, false); err != nil {
			s.noteFailure(err)
		}
	default:
		s.loop.epoll().Modify(int(s.fd), s.token, want)
	}
}

func (s *Stream) sysPark() {
	if s.port() == nil {
		s.parked = true
		s.loop.epoll().Remove(int(s.fd))
	}
}

func (s *Stream) sysCloseWrite() {
	if port := s.port(); port != nil {
		port.closeWrite()
		return
	}
	poll.CloseWrite(int(s.fd))
}

// sysUnsent is what the peer has not taken of what was written.
func (s *Stream) sysUnsent() int {
	if port := s.port(); port != nil {
		return port.unsent()
	}
	return poll.Unsent(int(s.fd))
}

// sysBuffers reports whether written bytes are not with the kernel yet.
func (s *Stream) sysBuffers() bool {
	port := s.port()
	return port != nil && port.buffers()
}

// sysUnread is what was received and not read.
func (s *Stream) sysUnread() int {
	if port := s.port(); port != nil {
		return port.unread()
	}
	return poll.Unread(int(s.fd))
}

func (s *Stream) sysError() error {
	if port := s.port(); port != nil {
		return port.failure()
	}
	return poll.SocketError(int(s.fd))
}

func (s *Stream) sysClose() {
	if port := s.port(); port != nil {
		port.close()
		return
	}
	poll.Close(int(s.fd))
}

// LocalAddr is the address on this side, the zero value once the stream is closed.
func (s *Stream) LocalAddr() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.state() == stateClosed {
		return netip.AddrPort{}
	}
	if port := s.port(); port != nil {
		return socket.AddrPort(port.conn.LocalAddr())
	}
	return socket.LocalAddr(int(s.fd))
}

// sysAddrs are the addresses of both sides. With s.mu held.
func (s *Stream) sysAddrs() (local, remote net.Addr) {
	if port := s.port(); port != nil {
		return port.conn.LocalAddr(), port.conn.RemoteAddr()
	}
	return net.TCPAddrFromAddrPort(socket.LocalAddr(int(s.fd))), net.TCPAddrFromAddrPort(socket.RemoteAddr(int(s.fd)))
}

// Discard closes a socket that is not put on a loop.
func (in Incoming) Discard() {
	if in.port != nil {
		in.port.conn.Close()
		return
	}
	poll.Close(int(in.fd))
}

// unsentBytes asks the kernel about a socket of package net.
func unsentBytes(c syscall.Conn) (n int) {
	raw, err := c.SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) { n = poll.Unsent(int(fd)) })
	}
	return n
}

// unreadBytes asks the kernel about a socket of package net.
func unreadBytes(c syscall.Conn) (n int) {
	raw, err := c.SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) { n = poll.Unread(int(fd)) })
	}
	return n
}
