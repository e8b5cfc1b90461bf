package poll

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Pipe makes a pipe for Splice.
func Pipe() (r, w int, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return -1, -1, err
	}
	return fds[0], fds[1], nil
}

// Splice moves up to size bytes between a pipe and a non-blocking socket within the kernel,
// in either direction, and may move fewer; 0 is the end of the input.
func Splice(from, to, size int) (n int, err error) {
	size = min(size, MaxRawBytes)
	for {
		r, _, errno := syscall.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(size), unix.SPLICE_F_NONBLOCK)
		if errno == 0 {
			return int(r), nil
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}
