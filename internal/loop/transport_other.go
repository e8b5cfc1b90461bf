//go:build !linux

package loop

import (
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/workerman-go/workerman/internal/poll"
	"github.com/workerman-go/workerman/internal/socket"
)

// Without epoll every socket is a portConn.

const errAgain = syscall.EAGAIN

func newNative() (engine, bool, error) { return newPortable(), false, nil }

func (s *Stream) sysOpen() error {
	s.layers.port.open(s)
	return nil
}

func (s *Stream) sysRead(p []byte) (int, error)          { return s.layers.port.read(p) }
func (s *Stream) sysWrite(p []byte) (int, error)         { return s.layers.port.write(p) }
func (s *Stream) sysWritev(pieces [][]byte) (int, error) { return s.layers.port.writev(pieces) }
func (s *Stream) sysSendsFiles() bool                    { return false }
func (s *Stream) sysReset()                              { s.layers.port.reset() }
func (s *Stream) sysInterest(want poll.Events)           { s.layers.port.watch(want) }
func (s *Stream) sysPark()                               {}
func (s *Stream) sysCloseWrite()                         { s.layers.port.closeWrite() }
func (s *Stream) sysUnsent() int                         { return s.layers.port.unsent() }
func (s *Stream) sysBuffers() bool                       { return s.layers.port.buffers() }
func (s *Stream) sysUnread() int                         { return s.layers.port.unread() }
func (s *Stream) sysError() error                        { return s.layers.port.failure() }
func (s *Stream) sysClose()                              { s.layers.port.close() }

func (s *Stream) sysSendFile(*os.File, int64, int) (int, error) { return 0, syscall.ENOSYS }

// LocalAddr is the address on this side, the zero value once the stream is closed.
func (s *Stream) LocalAddr() netip.AddrPort {
	if s.life.state() == stateClosed {
		return netip.AddrPort{}
	}
	return socket.AddrPort(s.layers.port.conn.LocalAddr())
}

func (s *Stream) sysAddrs() (local, remote net.Addr) {
	return s.layers.port.conn.LocalAddr(), s.layers.port.conn.RemoteAddr()
}

// Discard closes a socket that is not put on a loop.
func (in Incoming) Discard() { in.port.conn.Close() }

// The kernel's queues cannot be asked for portably: what package net took counts as
// delivered.
func unsentBytes(syscall.Conn) int { return 0 }
func unreadBytes(syscall.Conn) int { return 0 }
