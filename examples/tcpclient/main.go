// Tcpclient asks a server again and again, and comes back by itself when the server was away.
//
//	go run ./examples/echo           # in one terminal; stop and start it as you like
//	go run ./examples/tcpclient      # in another
//
// The first line of each connection is a greeting, as a login would be. What is sent while
// there is no connection waits for the next one.
package main

import (
	"flag"
	"fmt"
	"time"

	"github.com/workerman-go/workerman"
)

func main() {
	address := flag.String("to", "text://127.0.0.1:2345", "`SCHEME://ADDR` of the server")
	every := flag.Duration("every", time.Second, "time between two messages, as `duration`")
	pause := flag.Duration("pause", 500*time.Millisecond, "first pause before connecting again, as `duration`; the next ones are longer")
	flag.Parse()

	server := workerman.NewClient(*address)
	server.Backoff = workerman.Backoff{Min: *pause, Max: 10 * time.Second}
	server.OnConnect = func(c *workerman.Conn) {
		fmt.Println("connected to", c.RemoteAddr())
		c.Send([]byte("hello"))
	}
	server.OnMessage = func(_ *workerman.Conn, data []byte) { fmt.Printf("received %s\n", data) }
	server.OnClose = func(*workerman.Conn) { fmt.Println("disconnected") }
	server.OnError = func(_ *workerman.Conn, err error) { fmt.Println("not connected:", err) }
	if err := server.Connect(); err != nil {
		fmt.Println(err)
		return
	}

	n := 0
	workerman.AddTimer(*every, func() {
		n++
		if err := server.Send(fmt.Append(nil, "message ", n)); err != nil {
			fmt.Println("not sent:", err)
		}
	})
	workerman.RunAll()
}
