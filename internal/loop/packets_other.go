//go:build !linux

package loop

import (
	"net"
	"net/netip"
	"sync"

	"github.com/workerman-go/workerman/internal/socket"
)

// Packets is a UDP socket on a loop.
type Packets struct {
	port *portPackets
	once sync.Once
}

// OpenPackets puts a UDP socket on the loop and takes it over. On the loop.
func (l *Loop) OpenPackets(pc *net.UDPConn, owner PacketOwner) (*Packets, error) {
	p := &Packets{port: &portPackets{conn: pc, stop: make(chan struct{})}}
	go p.port.run(l, owner)
	return p, nil
}

// Send sends one datagram. Any goroutine may call it.
func (p *Packets) Send(to netip.AddrPort, b []byte) error { return p.port.send(to, b) }

// Lost is always 0: Send reports every failure itself.
func (p *Packets) Lost() int { return 0 }

// LocalAddr is the address that the socket is bound to.
func (p *Packets) LocalAddr() netip.AddrPort { return socket.AddrPort(p.port.conn.LocalAddr()) }

// Close closes the socket. On the loop.
func (p *Packets) Close() { p.once.Do(p.port.close) }
