// Chat is a chat with rooms for telnet and nc.
//
//	go run ./examples/chat
//	telnet 127.0.0.1 2346            # in one terminal
//	nc 127.0.0.1 2346                # in another
//
// Enter a name, then type: each line goes to everybody in your room. /help lists the
// commands.
//
// This file only opens the port. What a chat is stands in hub.go, and knows nothing of
// addresses and protocols: further workers may serve the same chat.
package main

import (
	"flag"
	"time"

	"github.com/workerman-go/workerman"
)

// maxLine is the longest line in bytes. Who sends a longer one is no person.
const maxLine = 4 << 10

// maxUnread is how many bytes may wait for a client before it is dropped. A chat must not
// hoard lines for somebody who does not read them.
const maxUnread = 256 << 10

func main() {
	listen := flag.String("listen", "text://0.0.0.0:2346", "`SCHEME://ADDR` to serve the chat on")
	idle := flag.Duration("idle-timeout", 30*time.Minute, "close connections that said nothing for this `duration`")
	name := flag.Duration("name-timeout", 30*time.Second, "close connections that gave no name for this `duration`")
	flag.Parse()

	w := workerman.NewWorker(*listen)
	w.Name = "chat"
	w.MaxPackageSize = maxLine
	w.MaxSendBuffer = maxUnread
	w.FullPolicy = workerman.CloseWhenFull
	w.IdleTimeout = *idle
	newHub(*name).serve(w)
	workerman.RunAll()
}
