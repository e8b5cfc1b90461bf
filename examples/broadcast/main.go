// Broadcast passes on what a client sends to all the others, and tells everybody the time
// now and then.
//
//	go run ./examples/broadcast -tick 5s
//	nc 127.0.0.1 2350                # in two terminals; type in one, read in the other
package main

import (
	"flag"
	"time"

	"github.com/workerman-go/workerman"
)

func main() {
	listen := flag.String("listen", "text://127.0.0.1:2350", "`SCHEME://ADDR` to serve on")
	tick := flag.Duration("tick", 10*time.Second, "tell everybody the time every `duration`; 0 means never")
	flag.Parse()

	w := workerman.NewWorker(*listen)
	w.Name = "broadcast"
	w.OnMessage = func(c *workerman.Conn, data []byte) {
		// The connections behind the message are left out: the sender knows it already.
		w.Broadcast(data, c)
	}
	w.OnWorkerStart = func(w *workerman.Worker) error {
		if *tick > 0 {
			workerman.AddTimer(*tick, func() {
				w.Broadcast([]byte("It is " + time.Now().Format(time.TimeOnly)))
			})
		}
		return nil
	}
	workerman.RunAll()
}
