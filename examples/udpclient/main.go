// Udpclient asks a server over UDP, where nothing says whether a datagram has arrived: it
// asks again until there is an answer, and gives up after a while.
//
//	go run ./examples/echo -listen udp://127.0.0.1:7000     # in one terminal
//	go run ./examples/udpclient -to udp://127.0.0.1:7000 -say hello
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/workerman-go/workerman"
)

func main() {
	address := flag.String("to", "udp://127.0.0.1:7000", "`udp://ADDR` of the server")
	text := flag.String("say", "hello", "`message` to send")
	again := flag.Duration("again", 500*time.Millisecond, "ask again after this `duration`")
	tries := flag.Int("tries", 5, "`number` of times to ask")
	flag.Parse()

	status := 1
	end := func(answer ...any) {
		fmt.Println(answer...)
		workerman.StopAll()
	}
	server := workerman.NewClient(*address)
	server.OnConnect = func(c *workerman.Conn) {
		c.Send([]byte(*text))
		asked := 1
		workerman.AddTimer(*again, func() {
			if asked++; asked > *tries {
				end("no answer")
				return
			}
			c.Send([]byte(*text))
		})
	}
	server.OnMessage = func(_ *workerman.Conn, data []byte) {
		status = 0
		end("received", string(data))
	}
	server.OnError = func(_ *workerman.Conn, err error) { end("not connected:", err) }
	if err := server.Connect(); err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	// A program that ends by itself needs no processes to be kept alive: Run serves in this one.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := workerman.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(status)
}
