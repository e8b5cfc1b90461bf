package main

import (
	"bytes"
	"net/http"
	"time"

	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/logging"
)

// gnetPage answers every empty line with the page, as gnet's example of HTTP does. gnet has no
// HTTP of its own: this is its loop with the least that can answer.
type gnetPage struct {
	gnetEcho
	out    []byte
	date   []byte
	second int64
}

func (p *gnetPage) OnTraffic(c gnet.Conn) gnet.Action {
	buf, err := c.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	used := 0
	p.out = p.out[:0]
	for {
		end := bytes.Index(buf[used:], []byte("\r\n\r\n"))
		if end < 0 {
			break
		}
		used += end + 4
		p.answer()
	}
	if _, err := c.Discard(used); err != nil {
		return gnet.Close
	}
	if _, err := c.Write(p.out); err != nil {
		return gnet.Close
	}
	return gnet.None
}

// answer appends the page, with the date of the second.
func (p *gnetPage) answer() {
	if now := time.Now(); now.Unix() != p.second {
		p.second = now.Unix()
		p.date = now.UTC().AppendFormat(p.date[:0], http.TimeFormat)
	}
	p.out = append(p.out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\nDate: "...)
	p.out = append(append(append(p.out, p.date...), "\r\n\r\n"...), page...)
}

func serveGnetHTTP(cfg serverConfig) error {
	return gnet.Run(&gnetPage{}, "tcp://127.0.0.1:0", gnet.WithNumEventLoop(1), gnet.WithLogLevel(logging.ErrorLevel))
}
