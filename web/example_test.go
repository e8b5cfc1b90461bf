package web_test

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/workerman-go/workerman/web"
)

func ExampleParser() {
	var (
		parser  web.Parser
		request web.Request
		out     []byte
	)
	received := []byte("GET /?name=you HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n")
	for {
		used, step, err := parser.Parse(&request, received)
		received = received[used:]
		if refused := (*web.Error)(nil); errors.As(err, &refused) {
			out = refused.Response().Append(out, web.Exchange{}, nil)
			break
		}
		if step == web.NeedMore {
			break
		}
		out = web.Text("hello "+request.Query("name")+"\n").Append(out, request.Exchange(), nil)
	}
	fmt.Printf("%s\n", bytes.ReplaceAll(out, []byte("\r"), nil))
	// Output:
	// HTTP/1.1 200 OK
	// Content-Type: text/plain; charset=utf-8
	// Content-Length: 10
	//
	// hello you
	// HTTP/1.1 400 Bad Request
	// Content-Type: text/plain; charset=utf-8
	// Content-Length: 15
	// Connection: close
	//
	// 400 Bad Request
}
