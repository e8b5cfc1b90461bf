package workerman

import (
	"errors"
	"net/netip"

	"github.com/workerman-go/workerman/internal/loop"
)

// packetLink is the UDP socket of a client: a packetDialog with one peer.
type packetLink struct {
	*loop.Datagrams
	dialog packetDialog
	conn   *Conn
}

var (
	_ packetSocket       = (*packetLink)(nil)
	_ loop.DatagramOwner = (*packetLink)(nil)
)

// Send sends to the one peer.
func (p *packetLink) Send(_ netip.AddrPort, b []byte) error { return p.Datagrams.Send(b) }

// Lost is always 0: Send reports every failure itself.
func (p *packetLink) Lost() int { return 0 }

// openDatagrams opens the socket of a client over UDP, to the first address that the system
// has a way to.
func (a *attempt) openDatagrams(targets []loop.Target) {
	p := new(packetLink)
	var to netip.AddrPort
	var errs []error
	for _, t := range targets {
		socket, err := a.loop.DialDatagrams(t, p)
		if err == nil {
			p.Datagrams, to = socket, t.Addr
			break
		}
		errs = append(errs, err)
	}
	if p.Datagrams == nil {
		a.fail(errors.Join(errs...))
		return
	}
	c := a.newConn()
	c.setRemote(to)
	a.loop.Abandon(&c.stream, a.connOwner(c))
	p.conn = c
	p.dialog = packetDialog{settings: c.settings, loop: a.loop, packets: p, last: c, lastFrom: c.RemoteAddr()}
	p.dialog.box = &p.dialog
	p.dialog.join(c)
	c.settings.master.outgoing.Add(1)
	a.conn = c
	a.becomeReady()
}

// Datagram delivers the messages of one datagram.
func (p *packetLink) Datagram(b []byte) {
	if p.conn.Connected() {
		p.dialog.Datagram(p.dialog.lastFrom, b)
		p.dialog.BatchEnd()
	}
}

// DatagramRefused tells that a datagram did not reach anybody.
func (p *packetLink) DatagramRefused(err error) {
	c := p.conn
	c.settings.sendFail.Add(1)
	if fn := c.callbacks().OnError; fn != nil && c.Connected() {
		c.run(func() { fn(c, err) })
	}
}
