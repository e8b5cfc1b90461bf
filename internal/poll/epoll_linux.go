package poll

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

type rawEvent = unix.EpollEvent

// Epoll is one level-triggered epoll instance with an eventfd to interrupt a wait.
// Add, Modify, Remove and Wake may be called from every goroutine, Wait from one.
type Epoll struct {
	fd int

	wakeMu sync.Mutex // a wake must not hit whoever gets the number of a closed descriptor
	wakeFd int        // -1 once closed

	raw [MaxEvents]rawEvent
}

// exclusive asks that one waiter of several is woken for a shared listener.
const exclusive = 1 << 28

// wakeToken marks the eventfd in the events; no table entry has this index.
var wakeToken = Token{Index: ^uint32(0), Gen: ^uint32(0)}

// NewEpoll opens an instance.
func NewEpoll() (*Epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wakeFd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("eventfd", err)
	}
	e := &Epoll{fd: fd, wakeFd: wakeFd}
	// Edge-triggered: each write to the eventfd reports once and is never read back.
	ev := pack(unix.EPOLLIN|unix.EPOLLET, wakeToken)
	if err := e.ctl(unix.EPOLL_CTL_ADD, wakeFd, &ev); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func pack(events uint32, t Token) rawEvent {
	return rawEvent{Events: events, Fd: int32(t.Index), Pad: int32(t.Gen)}
}

func (e *Epoll) ctl(op, fd int, ev *rawEvent) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(e.fd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(ev)), 0, 0)
	if errno != 0 {
		return fmt.Errorf("epoll_ctl of descriptor %d: %w", fd, errno)
	}
	return nil
}

// Add starts watching fd. With shared set, of several instances that watch the same
// listener only one is woken (EPOLLEXCLUSIVE).
func (e *Epoll) Add(fd int, t Token, events Events, shared bool) error {
	bits := uint32(events)
	if shared {
		bits |= exclusive
	}
	ev := pack(bits, t)
	return e.ctl(unix.EPOLL_CTL_ADD, fd, &ev)
}

// Modify replaces the conditions that fd is watched for; Failed and HungUp are
// always reported.
func (e *Epoll) Modify(fd int, t Token, events Events) error {
	ev := pack(uint32(events), t)
	return e.ctl(unix.EPOLL_CTL_MOD, fd, &ev)
}

// Remove stops watching fd. Closing the last descriptor of a socket does it too.
func (e *Epoll) Remove(fd int) error {
	return e.ctl(unix.EPOLL_CTL_DEL, fd, nil)
}

// Poll reports what is ready now, without blocking and without the scheduler.
func (e *Epoll) Poll(out []Event) (n int, err error) {
	r, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.raw[0])), MaxEvents, 0, 0, 0)
	return e.collect(int(r), errno, out)
}

// Wait blocks until something is ready, Wake is called, or milliseconds have passed
// (negative: for ever).
func (e *Epoll) Wait(out []Event, milliseconds int) (n int, err error) {
	r, _, errno := syscall.Syscall6(syscall.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.raw[0])), MaxEvents, uintptr(milliseconds), 0, 0)
	return e.collect(int(r), errno, out)
}

func (e *Epoll) collect(r int, errno syscall.Errno, out []Event) (int, error) {
	if errno == unix.EINTR {
		return 0, nil
	}
	if errno != 0 {
		return 0, os.NewSyscallError("epoll_wait", errno)
	}
	n := 0
	for i := range r {
		ev := &e.raw[i]
		t := Token{Index: uint32(ev.Fd), Gen: uint32(ev.Pad)}
		if t == wakeToken {
			continue
		}
		out[n] = Event{Events: Events(ev.Events), Token: t}
		n++
	}
	return n, nil
}

// Wake makes a running or the next Wait return at once.
func (e *Epoll) Wake() error {
	e.wakeMu.Lock()
	defer e.wakeMu.Unlock()
	if e.wakeFd < 0 {
		return os.ErrClosed
	}
	one := uint64(1)
	_, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(e.wakeFd), uintptr(unsafe.Pointer(&one)), 8)
	if errno != 0 && errno != unix.EAGAIN { // full counter: a wake-up is pending anyway
		return os.NewSyscallError("eventfd write", errno)
	}
	return nil
}

// Close releases the descriptors. Only Wake may still be called.
func (e *Epoll) Close() error {
	e.wakeMu.Lock()
	defer e.wakeMu.Unlock()
	unix.Close(e.wakeFd)
	e.wakeFd = -1
	return unix.Close(e.fd)
}
