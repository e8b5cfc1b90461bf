package loop

import (
	"net"
	"net/netip"
)

// PacketOwner gets the datagrams of a socket, on the loop.
type PacketOwner interface {
	// Datagram gets one datagram, lent until it returns.
	Datagram(from netip.AddrPort, b []byte)
	// BatchEnd follows the last of the datagrams that were read together.
	BatchEnd()
}

// MaxDatagram is the largest payload of a UDP datagram over IPv4.
const MaxDatagram = 65507

// portPackets reads datagrams on a goroutine and hands each to the loop.
type portPackets struct {
	conn *net.UDPConn
	stop chan struct{}
}

func (p *portPackets) run(l *Loop, owner PacketOwner) {
	buf := make([]byte, readBufferSize)
	served := make(chan struct{})
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			select {
			case <-p.stop:
				return
			default:
				continue // an ICMP error of some peer; the socket goes on
			}
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		ok := l.Post(func() {
			select {
			case <-p.stop:
			default:
				owner.Datagram(from, buf[:n])
				owner.BatchEnd()
			}
			served <- struct{}{}
		})
		if !ok {
			return
		}
		select {
		case <-served:
		case <-l.done:
			return
		}
	}
}

func (p *portPackets) send(to netip.AddrPort, b []byte) error {
	_, err := p.conn.WriteToUDPAddrPort(b, to)
	return err
}

func (p *portPackets) close() {
	close(p.stop)
	p.conn.Close()
}
