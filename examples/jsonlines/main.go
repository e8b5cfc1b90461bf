// Jsonlines is a little stock market that speaks JSON, one document per line. It shows a
// protocol of one's own (protocol.go) and a handler that gets typed messages.
//
//	go run ./examples/jsonlines
//	nc 127.0.0.1 2349
//	{"op":"quote","symbol":"ACME"}
//	{"op":"buy","symbol":"ACME","quantity":3}
//	{"op":"sell","symbol":"ACME","quantity":1}
//	{"op":"orders"}
//
// A request that makes no sense is answered with an error; a line that is no JSON closes
// the connection, as there is no telling what the client would make of an answer.
package main

import (
	"encoding/json"
	"flag"

	"github.com/workerman-go/workerman"
)

func main() {
	listen := flag.String("listen", "jsonl://127.0.0.1:2349", "`SCHEME://ADDR` to serve on")
	flag.Parse()

	workerman.RegisterProtocol("jsonl", protocol{})
	w := workerman.NewWorker(*listen)
	w.Name = "jsonlines"
	w.MaxPackageSize = 64 << 10
	market := newMarket()
	w.OnMessage = workerman.JSON(func(c *workerman.Conn, r request) {
		reply(c, market.handle(r))
	})
	workerman.RunAll()
}

// reply sends an answer as one JSON document.
func reply(c *workerman.Conn, a answer) {
	data, err := json.Marshal(a)
	if err != nil {
		panic(err) // an answer has no values that JSON cannot express
	}
	c.Send(data)
}
