package workerman

import (
	"net"

	"github.com/workerman-go/workerman/internal/socket"
)

// socketSource is where the sockets come from that workers listen on.
type socketSource interface {
	// listen returns n sockets for an address, or the cause why not.
	listen(w *Worker, a socket.Address, n int) ([]net.Listener, error)
	listenPackets(w *Worker, a socket.Address, n int) ([]*net.UDPConn, error)
	// ours says that the file of a Unix socket is to be removed at the end.
	ours() bool
}

// source is the master's, or the one that opens them here.
func (m *Master) source() socketSource {
	if m.inherited != nil {
		return m.inherited
	}
	return ownSockets{}
}

// ownSockets opens the sockets of a service that runs in this process.
type ownSockets struct{}

func (ownSockets) ours() bool { return true }

func (ownSockets) listen(w *Worker, a socket.Address, n int) (list []net.Listener, err error) {
	for range n {
		ln, err := socket.Listen(a, socket.Options{ReusePort: w.ReusePort})
		if err != nil {
			for _, ln := range list {
				ln.Close()
			}
			return nil, err
		}
		list = append(list, ln)
		a.Port = socket.AddrPort(ln.Addr()).Port() // the others share a chosen port
	}
	return list, nil
}

func (ownSockets) listenPackets(w *Worker, a socket.Address, n int) (list []*net.UDPConn, err error) {
	for range n {
		pc, err := socket.ListenPacket(a, socket.Options{ReusePort: w.ReusePort})
		if err != nil {
			for _, pc := range list {
				pc.Close()
			}
			return nil, err
		}
		list = append(list, pc)
		a.Port = socket.AddrPort(pc.LocalAddr()).Port()
	}
	return list, nil
}
