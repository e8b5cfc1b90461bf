// Hello is the program of the README: a chat server in five lines. What one client sends, all get.
//
//	go run ./examples/hello
//
// Open two consoles of a browser, and say this in both of them; or run it twice with node, of
// version 22 or later. Then s.send("hello") in one is heard in both:
//
//	s = new WebSocket("ws://127.0.0.1:2346"); s.onmessage = m => console.log(m.data)
package main

import "github.com/workerman-go/workerman"

func main() {
	chat := workerman.NewWorker("websocket://0.0.0.0:2346")
	chat.OnMessage = func(c *workerman.Conn, data []byte) { chat.Broadcast(data) }
	workerman.RunAll()
}
