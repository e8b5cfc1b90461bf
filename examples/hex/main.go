// Hex shows bytes. One port takes bytes as they come, without any protocol, and answers
// in hex; the other takes lines of hex and answers what bytes they are.
//
//	go run ./examples/hex
//	printf 'Hi\0\377' | nc 127.0.0.1 2353       # 486900ff
//	nc 127.0.0.1 2354
//	48 69 00 ff                                 # 4 bytes: 486900ff "Hi\x00\xff"
//	4g                                          # error: ...
package main

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"

	"github.com/workerman-go/workerman"
)

func main() {
	raw := flag.String("bytes", "tcp://127.0.0.1:2353", "`SCHEME://ADDR` that takes bytes and answers hex")
	lines := flag.String("hex", "text://127.0.0.1:2354", "`SCHEME://ADDR` that takes lines of hex")
	flag.Parse()

	serveBytes(*raw)
	serveLines(*lines)
	workerman.RunAll()
}

// serveBytes answers bytes in hex. Without a protocol a stream has no messages: data is
// what has arrived, in pieces that the network made.
func serveBytes(address string) {
	w := workerman.NewWorker(address)
	w.Name = "bytes"
	w.OnMessage = func(c *workerman.Conn, data []byte) {
		line := hex.EncodeToString(data)
		fmt.Printf("%v sent %s\n", c.RemoteAddr(), line)
		c.Send([]byte(line + "\n"))
	}
}

// serveLines answers lines of hex with the bytes that they stand for.
func serveLines(address string) {
	w := workerman.NewWorker(address)
	w.Name = "hex"
	w.MaxPackageSize = 64 << 10
	w.OnMessage = func(c *workerman.Conn, data []byte) {
		b, err := decode(data)
		if err != nil {
			c.Send([]byte("error: " + err.Error()))
			return
		}
		c.Send(fmt.Appendf(nil, "%d bytes: %s %q", len(b), hex.EncodeToString(b), b))
	}
}

// decode reads hex digits, with or without spaces between them.
func decode(line []byte) ([]byte, error) {
	digits := string(bytes.Join(bytes.Fields(line), nil))
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("a line is pairs of the digits 0-9 and a-f, as in 48 69 0a: %w", err)
	}
	return b, nil
}
