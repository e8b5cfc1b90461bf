package loop

import (
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/workerman-go/workerman/internal/poll"
	"github.com/workerman-go/workerman/internal/socket"
)

// Packets is a UDP socket on a loop.
type Packets struct {
	loop  *Loop
	owner PacketOwner
	port  *portPackets
	fd    int
	token poll.Token
	local netip.AddrPort
	recv  *poll.Receiver

	mu      sync.Mutex // guards what follows, for senders on other goroutines
	sender  *poll.Sender
	serving bool // answers are collected until the batch is served
	closed  bool
	lost    int
}

// OpenPackets puts a UDP socket on the loop and takes it over. On the loop.
func (l *Loop) OpenPackets(pc *net.UDPConn, owner PacketOwner) (*Packets, error) {
	p := &Packets{loop: l, owner: owner, local: socket.AddrPort(pc.LocalAddr())}
	if !l.native {
		p.port = &portPackets{conn: pc, stop: make(chan struct{})}
		go p.port.run(l, owner)
		return p, nil
	}
	fd, err := socket.Descriptor(pc)
	if err != nil {
		return nil, err
	}
	pc.Close()
	p.fd, p.recv = fd, poll.NewReceiver()
	p.sender = poll.NewSender(socket.LocalAddr(fd))
	p.token = l.entries.add(p)
	if err := l.epoll().Add(fd, p.token, poll.Readable, false); err != nil {
		l.entries.remove(p.token)
		poll.Close(fd)
		return nil, err
	}
	return p, nil
}

// maxBatches bounds the batches of one event.
const maxBatches = 4

func (p *Packets) ready(poll.Events) {
	for range maxBatches {
		p.loop.counters.Reads++
		n, err := p.recv.Receive(p.fd)
		if err != nil {
			return // nothing there, or a peer's ICMP error
		}
		if n > 1 {
			p.loop.crowded = true // one event, but a crowd
		}
		p.mu.Lock()
		p.serving = true
		p.mu.Unlock()
		for i := range n {
			from, b := p.recv.Datagram(i)
			p.owner.Datagram(from, b)
			if p.closed {
				return
			}
		}
		p.mu.Lock()
		p.serving = false
		p.send()
		p.mu.Unlock()
		p.owner.BatchEnd()
		if n < poll.Batch || p.closed {
			return
		}
	}
}

// send writes the collected datagrams. With p.mu held.
func (p *Packets) send() {
	if p.sender.Pending() > 0 {
		p.loop.counters.Writes.Add(1)
		lost, _ := p.sender.Send(p.fd)
		p.lost += lost
	}
}

// Send sends one datagram; while a batch is served it leaves with the answers of the
// batch. Any goroutine may call it. UDP keeps nothing for later: what the system does
// not take at once is lost and counted.
func (p *Packets) Send(to netip.AddrPort, b []byte) error {
	if p.port != nil {
		return p.port.send(to, b)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	if !p.sender.Reaches(to) {
		return syscall.EAFNOSUPPORT
	}
	p.sender.Add(to, b)
	if p.serving {
		if p.sender.Pending() == poll.Batch {
			p.send()
		}
		return nil
	}
	p.loop.counters.Writes.Add(1)
	_, err := p.sender.Send(p.fd)
	return err
}

// Lost returns and clears the number of collected datagrams that the system refused.
func (p *Packets) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.lost
	p.lost = 0
	return n
}

// LocalAddr is the address that the socket is bound to.
func (p *Packets) LocalAddr() netip.AddrPort { return p.local }

// Close closes the socket. On the loop.
func (p *Packets) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	if p.port != nil {
		p.port.close()
		return
	}
	p.loop.entries.remove(p.token)
	poll.Close(p.fd)
}
