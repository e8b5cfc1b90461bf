package loop

import (
	"github.com/workerman-go/workerman/internal/poll"
	"github.com/workerman-go/workerman/internal/socket"
)

// systemDatagrams is the socket in epoll.
type systemDatagrams struct {
	fd    int
	token poll.Token
}

func (d *Datagrams) open() (err error) {
	sys := &d.system
	if sys.fd, err = socket.DialPacket(d.target.Addr, d.target.Local); err != nil {
		return err
	}
	d.local = socket.LocalAddr(sys.fd)
	sys.token = d.loop.entries.add(d)
	if err = d.loop.epoll().Add(sys.fd, sys.token, poll.Readable, false); err != nil {
		d.close()
	}
	return err
}

// maxDatagrams bounds the datagrams of one event.
const maxDatagrams = 64

// ready reads what is there into the loop's buffer.
func (d *Datagrams) ready(poll.Events) {
	for range maxDatagrams {
		d.loop.counters.Reads++
		n, err := poll.Read(d.system.fd, d.loop.read)
		switch err {
		case nil:
			d.owner.Datagram(d.loop.read[:n])
		case poll.Again:
			return
		default:
			d.refused(err)
		}
		if d.isClosed() {
			return
		}
	}
}

func (d *Datagrams) write(b []byte) error {
	if d.port != nil {
		_, err := d.port.Write(b)
		return err
	}
	d.loop.counters.Writes.Add(1)
	_, err := poll.Write(d.system.fd, b)
	return err
}

func (d *Datagrams) close() {
	d.loop.entries.remove(d.system.token)
	poll.Close(d.system.fd)
}
