package master

import (
	"fmt"
	"os"
	"syscall"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/socket"
)

// sockets are the listening sockets of the program, by address. They stay open while
// processes come and go, so no client is refused meanwhile.
type sockets struct {
	open      map[string]*socketSet
	activated func(socket.Address) int // a socket that the service manager has opened, -1 if none
}

// socketSet are the sockets of one address.
type socketSet struct {
	address socket.Address // with the port that the system chose
	fds     []int          // raw, so that the runtime's poller does not wake up for clients
	inode   os.FileInfo    // which file is ours, if it is a Unix socket
	given   bool           // by the service manager
}

// socketKey is the name of an address. With a port of the system's choice it is the worker's.
func socketKey(worker string, a socket.Address, reusePort bool) string {
	if a.Network == "unix" || a.Port != 0 {
		worker = ""
	}
	return fmt.Sprintf("%s %s %v %s", a.Network, a, reusePort, worker)
}

// get returns n sockets for a worker's address, opened if need be.
func (s *sockets) get(worker string, a socket.Address, reusePort bool, n int) (*socketSet, error) {
	key := socketKey(worker, a, reusePort)
	set := s.open[key]
	if set == nil {
		set = &socketSet{address: a}
		if s.activated != nil {
			if fd := s.activated(a); fd >= 0 {
				set.fds, set.given = append(set.fds, fd), true
			}
		}
	}
	for len(set.fds) < n {
		fd, err := set.listen(reusePort)
		if err != nil {
			if s.open[key] == nil {
				set.close()
			}
			return nil, err
		}
		set.fds = append(set.fds, fd)
	}
	if s.open == nil {
		s.open = make(map[string]*socketSet)
	}
	s.open[key] = set
	return set, nil
}

// listen opens one more socket.
func (set *socketSet) listen(reusePort bool) (fd int, err error) {
	o := socket.Options{ReusePort: reusePort}
	if set.address.Network == "udp" {
		pc, err := socket.ListenPacket(set.address, o)
		if err != nil {
			return -1, err
		}
		defer pc.Close()
		set.address.Port = socket.AddrPort(pc.LocalAddr()).Port()
		return socket.Descriptor(pc)
	}
	ln, err := socket.Listen(set.address, o)
	if err != nil {
		return -1, err
	}
	defer ln.Close()
	if set.address.Network == "unix" {
		set.inode, _ = os.Lstat(set.address.Path)
	} else {
		set.address.Port = socket.AddrPort(ln.Addr()).Port()
	}
	return socket.Descriptor(ln.(syscall.Conn))
}

// close closes the sockets of an address, and removes the file of a Unix socket.
func (set *socketSet) close() {
	control.CloseAll(set.fds)
	set.fds = nil
	if set.inode == nil || set.given {
		return
	}
	if now, err := os.Lstat(set.address.Path); err == nil && os.SameFile(now, set.inode) {
		os.Remove(set.address.Path)
	}
}

// chown gives the file of a Unix socket to the user who serves it.
func (set *socketSet) chown(user string) error {
	if user == "" || set.inode == nil || set.given {
		return nil
	}
	c, err := credential(user)
	if err != nil {
		return err
	}
	return os.Chown(set.address.Path, int(c.Uid), int(c.Gid))
}

// shrink closes sockets beyond the first n: the kernel would go on giving them clients.
func (set *socketSet) shrink(n int) {
	if n < len(set.fds) {
		control.CloseAll(set.fds[n:])
		set.fds = set.fds[:n]
	}
}

// keep closes the sockets of all addresses but those in wanted.
func (s *sockets) keep(wanted map[string]bool) {
	for key, set := range s.open {
		if !wanted[key] {
			set.close()
			delete(s.open, key)
		}
	}
}
