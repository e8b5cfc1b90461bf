package loop

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"github.com/workerman-go/workerman/internal/socket"
)

// DatagramOwner is told what comes from the one peer of a connected UDP socket, on the loop.
type DatagramOwner interface {
	// Datagram gets one datagram, lent until it returns.
	Datagram(b []byte)
	// DatagramRefused says that the network has brought an earlier datagram back, as with
	// ECONNREFUSED: nobody listens there.
	DatagramRefused(err error)
}

// Datagrams is a connected UDP socket on a loop. It has no memory of its own.
type Datagrams struct {
	loop   *Loop
	owner  DatagramOwner
	target Target
	system systemDatagrams
	port   *net.UDPConn // the portable engine's, nil with the native one
	stop   chan struct{}

	mu     sync.Mutex // guards what follows, for senders on other goroutines
	local  netip.AddrPort
	closed bool
}

// DialDatagrams connects a UDP socket, which asks nobody and so does not wait. An error is a
// *net.OpError. On the loop.
func (l *Loop) DialDatagrams(t Target, owner DatagramOwner) (*Datagrams, error) {
	d := &Datagrams{loop: l, owner: owner, target: t}
	var err error
	if l.native {
		err = d.open()
	} else {
		err = d.openPortable()
	}
	if err != nil {
		return nil, d.fails("dial", err)
	}
	return d, nil
}

// Send sends one datagram at once: what the system does not take is lost, and the error
// says so. Any goroutine may call it.
func (d *Datagrams) Send(b []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return net.ErrClosed
	}
	err := d.write(b)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	d.loop.Post(func() { d.refused(err) }) // the fate of an earlier one
	return d.write(b)
}

// LocalAddr is the address of this side, the zero value once it is closed.
func (d *Datagrams) LocalAddr() netip.AddrPort {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return netip.AddrPort{}
	}
	return d.local
}

// Close closes the socket. On the loop.
func (d *Datagrams) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.closed = true
	if d.port != nil {
		close(d.stop)
		d.port.Close()
		return
	}
	d.close()
}

func (d *Datagrams) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// refused tells the owner of an error that was waiting at the socket.
func (d *Datagrams) refused(err error) {
	if !d.isClosed() {
		d.owner.DatagramRefused(d.fails("read", err))
	}
}

// fails is an error with the address that it was for.
func (d *Datagrams) fails(op string, err error) error {
	var outer *net.OpError
	if errors.As(err, &outer) {
		err = outer.Err
	} else if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError("recvfrom", errno)
	}
	e := &net.OpError{Op: op, Net: "udp", Addr: net.UDPAddrFromAddrPort(d.target.Addr), Err: err}
	if local := d.target.Local; local.IsValid() {
		e.Source = net.UDPAddrFromAddrPort(local)
	}
	return e
}

func (d *Datagrams) openPortable() error {
	var local *net.UDPAddr
	if d.target.Local.IsValid() {
		local = net.UDPAddrFromAddrPort(d.target.Local)
	}
	conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(d.target.Addr))
	if err != nil {
		return err
	}
	d.port, d.stop, d.local = conn, make(chan struct{}), socket.AddrPort(conn.LocalAddr())
	go d.receivePortable()
	return nil
}

// receivePortable hands each datagram to the loop and waits until it is served.
func (d *Datagrams) receivePortable() {
	buf := make([]byte, readBufferSize)
	served := make(chan struct{}, 1)
	for {
		n, err := d.port.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		ok := d.loop.Post(func() {
			if err != nil {
				d.refused(err)
			} else if !d.isClosed() {
				d.owner.Datagram(buf[:n])
			}
			served <- struct{}{}
		})
		if !ok {
			return
		}
		select {
		case <-served:
		case <-d.stop:
			return
		case <-d.loop.done:
			return
		}
	}
}
