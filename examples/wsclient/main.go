// Wsclient is a WebSocket in the terminal: what you type is sent, what comes is printed.
//
//	go run ./examples/wsclient -to ws://127.0.0.1:2346/
//	go run ./examples/wsclient -to wss://echo.websocket.org/ -field 'Origin: https://example.com'
//
// The end of the input closes the WebSocket, and the program. If the server goes away the
// program waits for it to come back.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

func main() {
	address := flag.String("to", "ws://127.0.0.1:2346/", "`URL` of the WebSocket")
	compress := flag.Bool("compress", true, "offer compression")
	var fields []web.Field
	flag.Func("field", "`NAME: VALUE` to add to the handshake; may be repeated", func(text string) error {
		name, value, ok := strings.Cut(text, ":")
		fields = append(fields, web.Field{Name: name, Value: strings.TrimSpace(value)})
		if !ok {
			return fmt.Errorf("a field is NAME: VALUE")
		}
		return nil
	})
	flag.Parse()

	ended := false // the input; only the loop looks at it
	socket := workerman.NewClient(*address)
	socket.Header = fields
	socket.WebSocket.Compression.Enabled = *compress
	socket.Backoff.Min = time.Second
	socket.OnConnect = func(c *workerman.Conn) {
		fmt.Fprintln(os.Stderr, "connected")
		if ended {
			socket.Post(socket.Close) // behind what waited for the connection
		}
	}
	socket.OnMessage = func(c *workerman.Conn, data []byte) { fmt.Printf("%s\n", data) }
	socket.OnClose = func(c *workerman.Conn) {
		if ended {
			fmt.Fprintln(os.Stderr, "closed")
			workerman.StopAll()
			return
		}
		code, reason := c.CloseCode()
		fmt.Fprintln(os.Stderr, "closed by the server with code", code, reason)
	}
	socket.OnError = func(_ *workerman.Conn, err error) {
		fmt.Fprintln(os.Stderr, "not connected:", err)
		if ended {
			workerman.StopAll()
		}
	}
	end := func() { // when the input has ended
		ended = true
		if socket.Conn() != nil {
			socket.Close()
		}
	}
	if err := socket.Connect(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}

	// Reading a terminal blocks, so a goroutine does it; a client may be used from everywhere.
	socket.Post(func() {
		go func() {
			for in := bufio.NewScanner(os.Stdin); in.Scan(); {
				if err := socket.Send(in.Bytes()); err != nil {
					fmt.Fprintln(os.Stderr, "not sent:", err)
				}
			}
			socket.Post(end)
		}()
	})
	// A program that ends by itself needs no processes to be kept alive: Run serves in this one.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := workerman.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
