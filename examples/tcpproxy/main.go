// Tcpproxy passes bytes between two connections in both directions, as a proxy does, no
// faster than the slower side reads.
//
// A usual proxy accepts one connection and dials the other, as the examples socks5 and
// httpproxy do. This program is the kind of proxy that only accepts, a relay for machines
// that can both call out but not be called, as behind home routers: the first caller on
// port A and the first on port B are joined, then the next two, and so on.
//
//	go run ./examples/tcpproxy
//	nc 127.0.0.1 2351                # in one terminal
//	nc 127.0.0.1 2352                # in another: type here, read there
//
// When one side ends its connection the other gets what was sent and is closed too.
package main

import (
	"flag"
	"slices"
	"time"

	"github.com/workerman-go/workerman"
)

func main() {
	addressA := flag.String("a", "tcp://127.0.0.1:2351", "`SCHEME://ADDR` for one side")
	addressB := flag.String("b", "tcp://127.0.0.1:2352", "`SCHEME://ADDR` for the other side")
	patience := flag.Duration("wait", time.Minute, "close callers for whom nobody came for this `duration`")
	flag.Parse()

	var a, b queue
	serve(*addressA, "side-a", &a, &b, *patience)
	serve(*addressB, "side-b", &b, &a, *patience)
	workerman.RunAll()
}

// queue holds the callers of one side that wait for a partner, the first come first. Both
// workers have one loop, the same, therefore the queues need no locks.
type queue []*workerman.Conn

// remove takes a caller out who does not wait any more; others are left alone.
func (q *queue) remove(c *workerman.Conn) {
	*q = slices.DeleteFunc(*q, func(waiting *workerman.Conn) bool { return waiting == c })
}

// serve opens one side: own is where its callers wait, other is where their partners do.
func serve(address, name string, own, other *queue, patience time.Duration) {
	w := workerman.NewWorker(address)
	w.Name = name
	w.OnConnect = func(c *workerman.Conn) {
		if len(*other) > 0 {
			partner := (*other)[0]
			*other = slices.Delete(*other, 0, 1)
			join(c, partner)
			return
		}
		// Nobody is there to read what the caller sends: it waits in the network, and so
		// nothing is lost. It also means that a caller who hangs up while waiting may be
		// noticed only when a partner comes, who is then closed and has to call again.
		c.PauseRecv()
		c.Data = c.After(patience, func() {
			own.remove(c)
			c.Close()
		})
		*own = append(*own, c)
	}
	w.OnClose = own.remove
}

// join connects a caller with the one who waited.
func join(c, waited *workerman.Conn) {
	waited.Data.(*workerman.Timer).Stop()
	c.Pipe(waited)
	waited.Pipe(c)
	waited.ResumeRecv()
}
