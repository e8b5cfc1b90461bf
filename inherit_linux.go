package workerman

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/socket"
)

// ours says that the master removes the files of Unix sockets.
func (p *process) ours() bool { return false }

// listen returns the sockets that the master has opened for a worker.
func (p *process) listen(w *Worker, a socket.Address, n int) (list []net.Listener, err error) {
	err = p.inherit(w, a, n, func(f *os.File) error {
		ln, err := net.FileListener(f)
		if err == nil {
			list = append(list, ln)
		}
		return err
	})
	if err != nil {
		for _, ln := range list {
			ln.Close()
		}
		return nil, err
	}
	return list, nil
}

func (p *process) listenPackets(w *Worker, a socket.Address, n int) (list []*net.UDPConn, err error) {
	err = p.inherit(w, a, n, func(f *os.File) error {
		pc, err := net.FilePacketConn(f)
		if err == nil {
			list = append(list, pc.(*net.UDPConn))
		}
		return err
	})
	if err != nil {
		for _, pc := range list {
			pc.Close()
		}
		return nil, err
	}
	return list, nil
}

// inherit passes n sockets of the master to use.
func (p *process) inherit(w *Worker, a socket.Address, n int, use func(*os.File) error) error {
	fds, err := p.sockets(w, a, n)
	if err != nil {
		return err
	}
	if len(fds) < n {
		control.CloseAll(fds)
		return fmt.Errorf("the master gave %d sockets for %d loops: restart the program", len(fds), n)
	}
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		if i < n && err == nil {
			err = use(f)
		}
		f.Close()
	}
	return err
}

// sockets returns the descriptors for a worker, those of the start or new ones of the master.
func (p *process) sockets(w *Worker, a socket.Address, n int) ([]int, error) {
	p.mu.Lock()
	if w == p.worker && p.first != nil {
		fds := p.first
		p.first = nil
		p.mu.Unlock()
		return fds, nil
	}
	p.asked++
	id, ch := p.asked, make(chan reply, 1)
	p.reply[id] = ch
	p.mu.Unlock()
	err := p.link.Send(control.Message{
		Kind: control.Listen, ID: id, Key: p.m.innerKey(w), Network: a.Network, Address: a.String(), Sockets: n, Shared: w.ReusePort,
	})
	if err != nil {
		return nil, err
	}
	select {
	case r := <-ch:
		return r.fds, r.err
	case <-time.After(socketPatience):
		return nil, errors.New("the master does not answer")
	}
}

// socketPatience is how long a process waits for a socket of the master.
const socketPatience = 10 * time.Second
