// Handover is a game that a reload does not interrupt: the new version of the program goes on
// with the clients of the old one, and knows who each of them is.
//
//	go build -o game ./examples/handover
//	./game start -d
//	nc 127.0.0.1 2347             # type a name, then as many lines as you like: each is a coin
//	./game reload                 # in another terminal; then type on in the first
//	./game stop
//
// A WebSocket works the same way (node is one of version 22 or later):
//
//	node -e 's = new WebSocket("ws://127.0.0.1:2348"); s.onopen = () => { s.send("ann"); setInterval(() => s.send("again"), 1000) }; s.onmessage = m => console.log(m.data)'
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"time"

	"github.com/workerman-go/workerman"
)

// player is what the game knows of a client. The new version of a program reads what the old one
// wrote, so fields may be added later, and what is missing then is zero.
type player struct {
	Name  string
	Coins int
}

// pause is the time between two reminders.
var pause = flag.Duration("remind", time.Minute, "`duration` between two reminders that the game goes on")

func main() {
	text := flag.String("text", "text://127.0.0.1:2347", "`ADDRESS` for terminals")
	web := flag.String("web", "websocket://127.0.0.1:2348", "`ADDRESS` for browsers")
	flag.Parse()
	serve("terminals", *text)
	serve("browsers", *web)
	workerman.RunAll()
}

// serve makes a worker for the game.
func serve(name, address string) {
	w := workerman.NewWorker(address)
	w.Name = name
	w.OnConnect = func(c *workerman.Conn) {
		c.Data = &player{}
		remind(c)
	}
	w.OnHandover = func(c *workerman.Conn) ([]byte, error) { // in the old process
		return json.Marshal(c.Data)
	}
	w.OnAdopt = func(c *workerman.Conn, data []byte) { // in the new one, instead of OnConnect
		var p player
		if err := json.Unmarshal(data, &p); err != nil {
			slog.Error("cannot read a player", "err", err)
			c.Close()
		}
		c.Data = &p // the type that the other callbacks expect
		remind(c)   // timers do not move: start them again
	}
	w.OnMessage = play
	w.OnClose = func(c *workerman.Conn) {
		p := c.Data.(*player)
		slog.Info("a player left", "name", p.Name, "coins", p.Coins, "err", c.Err())
	}
}

// play takes a name first, and then gives a coin for each message.
func play(c *workerman.Conn, data []byte) {
	p := c.Data.(*player)
	if p.Name == "" {
		p.Name = string(data)
		c.Send(fmt.Appendf(nil, "welcome, %s", p.Name))
		return
	}
	p.Coins++
	c.Send(fmt.Appendf(nil, "%s has coins: %d", p.Name, p.Coins))
}

// remind starts the timer of a connection.
func remind(c *workerman.Conn) {
	c.Every(*pause, func() { c.Send(fmt.Appendf(nil, "are you there, %s?", c.Data.(*player).Name)) })
}
