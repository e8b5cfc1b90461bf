// Heartbeat closes clients that have been silent for too long. Networks lose connections
// without telling anybody: a phone in a tunnel, a router that was switched off. Who wants
// to know lets clients say something now and then, here at least every 55 seconds, and
// closes those that do not.
//
// It shows two ways. The first port has a timer that looks at all connections, which
// works for rules of every kind; the second has IdleTimeout, which is all you need for
// this one.
//
//	go run ./examples/heartbeat -silent 10s -check 2s
//	nc 127.0.0.1 2347                # by a timer; say something, or be closed
//	nc 127.0.0.1 2348                # by IdleTimeout
package main

import (
	"flag"
	"log/slog"
	"time"

	"github.com/workerman-go/workerman"
)

func main() {
	timer := flag.String("timer", "text://127.0.0.1:2347", "`SCHEME://ADDR` of the port that a timer watches")
	limit := flag.String("limit", "text://127.0.0.1:2348", "`SCHEME://ADDR` of the port with IdleTimeout")
	silent := flag.Duration("silent", 55*time.Second, "close clients that were silent for this `duration`")
	check := flag.Duration("check", 10*time.Second, "look for silent clients every `duration`; for -timer")
	flag.Parse()

	watchByTimer(workerman.NewWorker(*timer), *silent, *check)
	watchByLimit(workerman.NewWorker(*limit), *silent)
	workerman.RunAll()
}

// watchByTimer closes silent clients by hand: Conn.Data holds when the client last said
// something. The worker has one loop, on which the timer runs too, so that both may use
// Data without locks.
func watchByTimer(w *workerman.Worker, silent, check time.Duration) {
	w.Name = "heartbeat-timer"
	w.OnMessage = func(c *workerman.Conn, data []byte) {
		c.Data = time.Now()
		c.Send([]byte("pong"))
	}
	w.OnWorkerStart = func(w *workerman.Worker) error {
		workerman.AddTimer(check, func() {
			now := time.Now()
			for c := range w.Connections() {
				last, spoke := c.Data.(time.Time)
				switch {
				case !spoke:
					c.Data = now // it has not said anything yet: its time begins now
				case now.Sub(last) > silent:
					slog.Info("silent for too long", "peer", c.RemoteAddr())
					c.Close()
				}
			}
		})
		return nil
	}
}

// watchByLimit leaves the same to the framework. It also says why in Conn.Err.
func watchByLimit(w *workerman.Worker, silent time.Duration) {
	w.Name = "heartbeat-limit"
	w.IdleTimeout = silent
	w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send([]byte("pong")) }
}
