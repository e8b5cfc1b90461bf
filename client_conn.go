package workerman

import (
	"log/slog"

	"github.com/workerman-go/workerman/internal/loop"
)

// clientOwner is the owner of a client's stream. It knows the client, for which a Conn has no
// room.
type clientOwner struct {
	*connOwner
	client *Client
}

var _ loop.Owner = (*clientOwner)(nil)

// Client is the client that the connection is one of, nil for those of a worker.
func (c *Conn) Client() *Client {
	if o, ok := c.stream.Owner().(*clientOwner); ok {
		return o.client
	}
	return nil
}

// dismiss notes that the program ends the connection, so that Backoff makes no other.
func (c *Conn) dismiss() {
	if c.Client() != nil && c.Connected() {
		c.ensureRare().dismissed.Store(true)
	}
}

func (c *Conn) dismissed() bool {
	x := c.rare()
	return x != nil && x.dismissed.Load()
}

// logger is where the connection's service logs. A client's logger is made for each of its
// few lines: it would be among the largest parts of an idle client.
func (c *Conn) logger() *slog.Logger {
	cl := c.Client()
	if cl == nil {
		return c.svc.log
	}
	name := c.svc.name
	setDefault(&name, cl.address)
	return c.svc.log.With("client", name)
}
