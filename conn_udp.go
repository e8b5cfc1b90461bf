package workerman

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/workerman-go/workerman/internal/loop"
)

// packetDialog is the worker's UDP socket on one loop. A peer's Conn is made with its
// first datagram and kept for the next ones, so that steady traffic makes no garbage.
type packetDialog struct {
	settings *connSettings
	loop     *loop.Loop
	socket   *net.UDPConn // until the loop takes it over
	packets  packetSocket
	last     *Conn
	lastFrom netip.AddrPort
	young    map[netip.AddrPort]*Conn
	old      map[netip.AddrPort]*Conn
	count    uint64
	closed   atomic.Bool // the program has closed the connection of a client
	box      dialog      // itself, once for all peers
}

var (
	_ dialog           = (*packetDialog)(nil)
	_ loop.PacketOwner = (*packetDialog)(nil)
)

// packetSocket is a *loop.Packets, or what a client has in its place.
type packetSocket interface {
	Send(to netip.AddrPort, b []byte) error
	LocalAddr() netip.AddrPort
	Lost() int
	Close()
}

// maxPeers bounds the peers remembered: the older half is forgotten beyond it.
const maxPeers = 4096

// start runs on the loop.
func (p *packetDialog) start() {
	if p.socket == nil {
		return
	}
	packets, err := p.loop.OpenPackets(p.socket, p)
	if err != nil {
		p.settings.log.Error("cannot receive datagrams", "error", err)
		p.socket.Close()
	} else {
		p.packets = packets
	}
	p.socket = nil
}

// close runs on the loop.
func (p *packetDialog) close() {
	if p.packets != nil {
		p.packets.Close()
	} else if p.socket != nil {
		p.socket.Close()
		p.socket = nil
	}
}

// peer returns the Conn of an address.
func (p *packetDialog) peer(from netip.AddrPort) *Conn {
	if p.last != nil && p.lastFrom == from {
		return p.last
	}
	c := p.young[from]
	if c == nil {
		if c = p.old[from]; c == nil {
			c = &Conn{settings: p.settings}
			c.setRemote(from)
			p.loop.Abandon(&c.stream, (*connOwner)(c))
			p.join(c)
			if p.settings.blocking {
				c.ensureRare().queue = new(callbackQueue)
			}
		}
		if len(p.young) >= maxPeers/2 {
			p.old, p.young = p.young, make(map[netip.AddrPort]*Conn, maxPeers/2)
		}
		p.young[from] = c
	}
	p.last, p.lastFrom = c, from
	return c
}

// Datagram delivers the messages of one datagram.
func (p *packetDialog) Datagram(from netip.AddrPort, b []byte) {
	c := p.peer(from)
	defer c.recovered()
	protocol := c.Protocol()
	if protocol == nil {
		p.dispatch(c, b)
		return
	}
	for len(b) > 0 {
		size, err := protocol.Input(c, b)
		if err != nil || size <= 0 || size > len(b) || size > c.maxPackage() {
			return // a message never spans datagrams: the rest is no message
		}
		data, err := protocol.Decode(c, b[:size:size])
		if err == nil {
			p.dispatch(c, data)
		} else if !errors.Is(err, ErrSkip) {
			return
		}
		if b = b[size:]; !c.Connected() {
			return
		}
	}
}

func (p *packetDialog) dispatch(c *Conn, data []byte) {
	p.count++
	if x := c.rare(); x != nil && x.queue != nil {
		x.queue.pushMessage(c, data, 0)
		return
	}
	c.callOnMessage(data, 0)
}

// BatchEnd updates the counters.
func (p *packetDialog) BatchEnd() {
	p.settings.requests.Add(p.count)
	p.count = 0
	if lost := p.packets.Lost(); lost > 0 {
		p.settings.sendFail.Add(uint64(lost))
	}
}

var scratch = sync.Pool{New: func() any { return new([]byte) }}

// packetDialog is the dialog of its peers. What arrives comes by Datagram.
func (p *packetDialog) receive(_ *Conn, b []byte) (used, want int) { return len(b), 0 }

func (p *packetDialog) endOfInput(*Conn) (done bool) { return true }

// deadline is none: IdleTimeout is for streams.
func (p *packetDialog) deadline(*Conn, int64) (next int64, err error) { return 0, nil }

func (p *packetDialog) send(c *Conn, data []byte) error { return p.transmit(c, c.Protocol(), data) }

func (p *packetDialog) shutDown(c *Conn, data []byte, _ error) (err error) {
	if data != nil {
		err = p.send(c, data)
	}
	p.hangUp(c)
	return err
}

// hangUp closes the socket of a client; of a worker's peer there is nothing to close.
func (p *packetDialog) hangUp(c *Conn) {
	if c.Client() != nil && p.closed.CompareAndSwap(false, true) {
		p.loop.Post(func() {
			p.packets.Close()
			c.callOnClose()
		})
	}
}

func (p *packetDialog) scheme(c *Conn) string { return messages{}.scheme(c) }

// join makes c one of the socket's peers.
func (p *packetDialog) join(c *Conn) {
	c.ensureRare().dialog.Store(&p.box)
}

// transmit sends one datagram to a peer.
func (p *packetDialog) transmit(c *Conn, protocol Protocol, data []byte) error {
	if p.closed.Load() {
		return ErrClosed
	}
	if protocol != nil {
		room := scratch.Get().(*[]byte)
		defer scratch.Put(room)
		out, err := c.encode(protocol, (*room)[:0], data)
		if err != nil {
			return err
		}
		*room, data = out, out
	}
	if len(data) > loop.MaxDatagram {
		return fmt.Errorf("%w: %d bytes, a datagram carries %d", ErrTooLarge, len(data), loop.MaxDatagram)
	}
	if err := p.packets.Send(c.RemoteAddr(), data); err != nil {
		p.settings.sendFail.Add(1)
		if errors.Is(err, net.ErrClosed) {
			return ErrClosed
		}
		return err
	}
	return nil
}
