//go:build !linux

package loop

import "net"

// Bound is a listening socket that loops accept from. Any goroutine may use it.
type Bound struct{ ln net.Listener }

// Bind takes ln over for loops of any engine.
func Bind(ln net.Listener, _ Engine) (*Bound, error) { return &Bound{ln: ln}, nil }

// Close closes the socket, after the listeners on it.
func (b *Bound) Close() { b.ln.Close() }

// Refuse does nothing here: no process shares its sockets with others.
func (b *Bound) Refuse() {}

// Listener accepts connections on a loop. Its methods run on the loop.
type Listener struct{ port *portListener }

// Listen makes a listener on b, which other loops may share, not accepting yet.
func (l *Loop) Listen(b *Bound, a Acceptor) *Listener {
	return &Listener{port: startPortListener(l, b.ln, a)}
}

// Pause stops accepting; the kernel goes on queueing.
func (lis *Listener) Pause() { lis.port.pause(true) }

// Resume starts accepting.
func (lis *Listener) Resume() error {
	lis.port.pause(false)
	return nil
}

// AcceptWaiting does nothing here: a goroutine accepts as soon as it can.
func (lis *Listener) AcceptWaiting() {}

// Close stops accepting for good.
func (lis *Listener) Close() { lis.port.close() }
