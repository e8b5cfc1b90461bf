package poll

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Again is the error of a call that would have blocked.
const Again = syscall.EAGAIN

// Read reads from a non-blocking socket; n is 0 at the end of input. The calls made for
// sockets skip the file layer that read(2) and write(2) go through.
func Read(fd int, p []byte) (n int, err error) {
	p = p[:min(len(p), MaxRawBytes)]
	for {
		r, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
		if errno == 0 {
			return int(r), nil
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// Write writes to a non-blocking socket and may take fewer bytes than given.
func Write(fd int, p []byte) (n int, err error) {
	p = p[:min(len(p), MaxRawBytes)]
	for {
		r, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
		if errno == 0 {
			return int(r), nil
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// Writev writes the pieces in order, at most MaxVector of them and MaxRawBytes
// bytes, and may take fewer.
func Writev(fd int, pieces [][]byte) (n int, err error) {
	var vec [MaxVector]unix.Iovec
	count, room := 0, MaxRawBytes
	for _, p := range pieces {
		if len(p) == 0 {
			continue
		}
		if count == MaxVector || room == 0 {
			break
		}
		p = p[:min(len(p), room)]
		room -= len(p)
		vec[count].Base = unsafe.SliceData(p)
		vec[count].SetLen(len(p))
		count++
	}
	if count == 0 {
		return 0, nil
	}
	msg := unix.Msghdr{Iov: &vec[0]}
	msg.SetIovlen(count)
	for {
		r, _, errno := syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&msg)), unix.MSG_NOSIGNAL)
		if errno == 0 {
			return int(r), nil
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// SendFile writes size bytes of a file, from offset on, to a non-blocking socket and may take
// fewer; 0 is the end of the file. It may wait for the disk, so it is no raw call.
func SendFile(fd, file int, offset int64, size int) (n int, err error) {
	for {
		n, err = unix.Sendfile(fd, file, &offset, size)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// Accept takes one connection, non-blocking and closed on exec. addr receives the
// peer's address.
func Accept(fd int, addr *unix.RawSockaddrAny) (conn int, err error) {
	for {
		size := uint32(unix.SizeofSockaddrAny)
		r, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(addr)), uintptr(unsafe.Pointer(&size)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		if errno == 0 {
			return int(r), nil
		}
		if errno != unix.EINTR {
			return -1, errno
		}
	}
}

// CloseWrite sends the end of the stream after everything that was written.
func CloseWrite(fd int) error { return unix.Shutdown(fd, unix.SHUT_WR) }

// ResetOnClose makes the close of a TCP socket drop what was not sent and reset the
// connection; on other sockets it has no effect.
func ResetOnClose(fd int) error {
	return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// Unsent is the number of bytes that the kernel took and the peer (on a Unix
// socket: the peer's program) has not taken yet. 0 if the kernel cannot tell.
func Unsent(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.TIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}

// Unread is the number of received bytes that were not read yet.
func Unread(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// SocketError returns and clears the pending error of a socket, nil if there is none.
func SocketError(fd int) error {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	return syscall.Errno(n)
}

// Close closes a descriptor.
func Close(fd int) error { return unix.Close(fd) }
