package poll

import (
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/socket"
)

// Batch is how many datagrams one call receives or sends at most.
const Batch = 64

// receiveSlot is the room for one datagram. It is not a multiple of 64 KiB, or all
// datagrams of a batch would fall into the same lines of the processor's cache.
const receiveSlot = 64<<10 + 320

type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [4]byte
}

// Receiver receives batches of datagrams into memory of its own.
type Receiver struct {
	msgs  [Batch]mmsghdr
	iovs  [Batch]unix.Iovec
	names [Batch]unix.RawSockaddrInet6 // large enough for IPv4 as well
	mem   []byte
}

// NewReceiver allocates the buffers; pages are touched only by datagrams that need them.
func NewReceiver() *Receiver {
	r := &Receiver{mem: make([]byte, Batch*receiveSlot)}
	for i := range r.msgs {
		r.iovs[i].Base = &r.mem[i*receiveSlot]
		r.iovs[i].SetLen(receiveSlot)
		r.msgs[i].hdr.Iov = &r.iovs[i]
		r.msgs[i].hdr.SetIovlen(1)
		r.msgs[i].hdr.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		r.msgs[i].hdr.Namelen = unix.SizeofSockaddrInet6
	}
	return r
}

// Receive reads what is there, at most Batch datagrams.
func (r *Receiver) Receive(fd int) (n int, err error) {
	for {
		got, _, errno := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.msgs[0])), Batch, unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			return int(got), nil
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// Datagram is the i-th datagram of the last Receive, valid until the next.
func (r *Receiver) Datagram(i int) (from netip.AddrPort, b []byte) {
	m := &r.msgs[i]
	from = socket.FromRaw((*unix.RawSockaddrAny)(unsafe.Pointer(&r.names[i])))
	m.hdr.Namelen = unix.SizeofSockaddrInet6
	at := i * receiveSlot
	return from, r.mem[at : at+int(m.len) : at+int(m.len)]
}

// Sender collects datagrams and sends them together.
type Sender struct {
	v6    bool // the socket is of the IPv6 family: IPv4 peers are written as mapped
	count int
	msgs  [Batch]mmsghdr
	iovs  [Batch]unix.Iovec
	names [Batch]unix.RawSockaddrInet6
	mem   []byte
	spans [Batch]int // end of each datagram in mem
}

// NewSender makes a sender for a socket with that local address.
func NewSender(local netip.AddrPort) *Sender {
	return &Sender{v6: local.Addr().Is6()}
}

// Pending is the number of datagrams collected.
func (s *Sender) Pending() int { return s.count }

// Add copies a datagram into the batch, which must not be full.
func (s *Sender) Add(to netip.AddrPort, b []byte) {
	s.mem = append(s.mem, b...)
	s.spans[s.count] = len(s.mem)
	s.msgs[s.count].hdr.Name = (*byte)(unsafe.Pointer(&s.names[s.count]))
	s.msgs[s.count].hdr.Namelen = putAddr(&s.names[s.count], to, s.v6)
	s.count++
}

// Send sends the batch and returns how many datagrams the system refused, for want of
// room or otherwise, and the first error.
func (s *Sender) Send(fd int) (lost int, err error) {
	start := 0
	for i := range s.count {
		end := s.spans[i]
		s.iovs[i].Base = unsafe.SliceData(s.mem[start:])
		s.iovs[i].SetLen(end - start)
		s.msgs[i].hdr.Iov = &s.iovs[i]
		s.msgs[i].hdr.SetIovlen(1)
		start = end
	}
	for at := 0; at < s.count; {
		n, _, errno := syscall.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&s.msgs[at])), uintptr(s.count-at), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0: // of the first datagram left; the others may have better luck
			lost++
			at++
			if err == nil {
				err = errno
			}
		default:
			at += int(n)
		}
	}
	s.count = 0
	if cap(s.mem) > Batch*receiveSlot/16 {
		s.mem = nil
	}
	s.mem = s.mem[:0]
	return lost, err
}

func putAddr(name *unix.RawSockaddrInet6, to netip.AddrPort, v6 bool) uint32 {
	port := to.Port()<<8 | to.Port()>>8
	if !isLittleEndian {
		port = to.Port()
	}
	if !v6 {
		p := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		p.Family, p.Port, p.Addr = unix.AF_INET, port, to.Addr().As4()
		return unix.SizeofSockaddrInet4
	}
	name.Family, name.Port, name.Addr = unix.AF_INET6, port, to.Addr().As16()
	name.Scope_id = 0
	if zone := to.Addr().Zone(); zone != "" {
		id, _ := strconv.ParseUint(zone, 10, 32)
		name.Scope_id = uint32(id)
	}
	return unix.SizeofSockaddrInet6
}

var isLittleEndian = func() bool {
	n := uint16(1)
	return *(*byte)(unsafe.Pointer(&n)) == 1
}()
