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

// Sender collects datagrams and sends them together. Neighbours of one size to one peer
// go through the kernel's stack as one packet (UDP_SEGMENT), which it cuts at the end.
type Sender struct {
	v6    bool // the socket is of the IPv6 family: IPv4 peers are written as mapped
	whole bool // the kernel or a device does not cut packets
	count int
	mem   []byte
	ends  [Batch]int // where each datagram ends in mem
	to    [Batch]netip.AddrPort

	first    [Batch + 1]int // the first datagram of each message
	msgs     [Batch]mmsghdr
	iovs     [Batch]unix.Iovec
	names    [Batch]unix.RawSockaddrInet6
	controls [Batch]segmentControl
}

// segmentControl is the control message that carries the size of the pieces.
type segmentControl struct {
	hdr  unix.Cmsghdr
	size uint16
	_    [6]byte
}

const (
	maxSegments    = 64   // how many datagrams one packet may have
	maxSegmentSize = 1200 // larger ones may exceed a path's packet size, which segments must not
	maxPacket      = 65000
)

// NewSender makes a sender for a socket with that local address.
func NewSender(local netip.AddrPort) *Sender {
	return &Sender{v6: local.Addr().Is6()}
}

// Reaches reports whether the socket's address family has the address.
func (s *Sender) Reaches(to netip.AddrPort) bool {
	return to.IsValid() && (s.v6 || to.Addr().Is4() || to.Addr().Is4In6())
}

// Pending is the number of datagrams collected.
func (s *Sender) Pending() int { return s.count }

// Add copies a datagram into the batch, which must not be full.
func (s *Sender) Add(to netip.AddrPort, b []byte) {
	s.mem = append(s.mem, b...)
	s.ends[s.count] = len(s.mem)
	s.to[s.count] = to
	s.count++
}

// span is where the i-th datagram lies in mem.
func (s *Sender) span(i int) (start, end int) {
	if i > 0 {
		start = s.ends[i-1]
	}
	return start, s.ends[i]
}

// run is how many datagrams from i on can leave as one packet: of one size, the last of
// them may be shorter.
func (s *Sender) run(i int) int {
	start, end := s.span(i)
	size := end - start
	if s.whole || size == 0 || size > maxSegmentSize {
		return 1
	}
	n := 1
	for n < maxSegments && (n+1)*size <= maxPacket && i+n < s.count && s.to[i+n] == s.to[i] {
		start, end := s.span(i + n)
		if end-start > size || end == start {
			break
		}
		n++
		if end-start < size {
			break
		}
	}
	return n
}

// build makes the messages for the datagrams from i on and returns their number.
func (s *Sender) build(i int) (n int) {
	for ; i < s.count; n++ {
		run := s.run(i)
		start, end := s.span(i)
		size := end - start
		end = s.ends[i+run-1]
		s.iovs[n].Base = unsafe.SliceData(s.mem[start:])
		s.iovs[n].SetLen(end - start)
		h := &s.msgs[n].hdr
		*h = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&s.names[n])), Iov: &s.iovs[n]}
		h.Namelen = putAddr(&s.names[n], s.to[i], s.v6)
		h.SetIovlen(1)
		if run > 1 {
			c := &s.controls[n]
			c.hdr.Level, c.hdr.Type = unix.SOL_UDP, unix.UDP_SEGMENT
			c.hdr.SetLen(unix.CmsgLen(2))
			c.size = uint16(size)
			h.Control = (*byte)(unsafe.Pointer(c))
			h.SetControllen(unix.CmsgSpace(2))
		}
		s.first[n] = i
		i += run
	}
	s.first[n] = s.count
	return n
}

// Send sends the batch and returns how many datagrams the system refused, for want of
// room or otherwise, and the first error.
func (s *Sender) Send(fd int) (lost int, err error) {
	for i := 0; i < s.count; {
		n := s.build(i)
		sent, _, errno := syscall.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&s.msgs[0])), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
		run := s.first[1] - i
		switch {
		case errno == 0:
			i = s.first[sent]
		case errno == unix.EINTR:
		case run > 1 && (errno == unix.EINVAL || errno == unix.EIO || errno == unix.EOPNOTSUPP || errno == unix.EMSGSIZE):
			s.whole = true
		default: // the first message is lost; the others may have better luck
			lost += run
			i += run
			if err == nil {
				err = errno
			}
		}
	}
	s.count = 0
	if cap(s.mem) > maxSpare {
		s.mem = nil
	}
	s.mem = s.mem[:0]
	return lost, err
}

// maxSpare is the most memory that a sender keeps for the next batch.
const maxSpare = 256 << 10

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
