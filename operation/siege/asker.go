package siege

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// asker is a client of HTTP. It does not try again what failed, as net/http's would.
type asker struct {
	conn   net.Conn
	in     *bufio.Reader
	halves bool // a request is written in two pieces, with a pause
}

// Requests with and without a body. The connection stays open behind them.
var requests = []string{
	"GET / HTTP/1.1\r\nHost: siege\r\n\r\n",
	fmt.Sprintf("POST /order HTTP/1.1\r\nHost: siege\r\nContent-Length: %d\r\n\r\n%s", largeSize, strings.Repeat("x", largeSize)),
}

// askAll is the life of a client who asks on one connection.
func (c *Crowd) askAll(i int, r *record, started func(error)) {
	var a *asker
	defer func() {
		if a != nil {
			a.conn.Close()
		}
	}()
	for n := i; ; n++ {
		if a == nil {
			conn, err := net.DialTimeout("tcp", c.o.Addr, patience)
			if err != nil {
				c.unreached(err)
				started(err)
				return
			}
			a = &asker{conn, bufio.NewReader(conn), i%4 == 2}
		}
		begin := time.Now()
		if err := a.ask(requests[n%len(requests)]); err != nil {
			c.lost(FailedAsk, fmt.Errorf("asker %d: %w", i, err))
			started(err)
			a.conn.Close()
			a = nil
		} else {
			r.add(time.Since(begin))
			c.requests.Add(1)
			started(nil)
		}
		if !c.pause(c.o.AskPace) {
			return
		}
	}
}

// ask sends a request and reads the answer.
func (a *asker) ask(request string) error {
	a.conn.SetDeadline(time.Now().Add(patience))
	if a.halves {
		half := len(request) / 2
		if _, err := io.WriteString(a.conn, request[:half]); err != nil {
			return err
		}
		time.Sleep(halfPause)
		request = request[half:]
	}
	if _, err := io.WriteString(a.conn, request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(a.in, nil)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || len(b) == 0) {
		err = fmt.Errorf("%w: %s %q", errAnswer, answer.Status, b)
	}
	return err
}

// comeAnew is the life of a client with a new connection for each request.
func (c *Crowd) comeAnew(i int) {
	for n := i; c.pause(c.o.NewPace); n++ {
		conn, err := net.DialTimeout("tcp", c.o.Addr, patience)
		if err != nil {
			c.unreached(fmt.Errorf("newcomer %d: %w", i, err))
			continue
		}
		a := &asker{conn, bufio.NewReader(conn), i%4 == 2}
		if err := a.ask(requests[n%len(requests)]); err != nil {
			c.lost(FailedAsk, fmt.Errorf("newcomer %d: %w", i, err))
		} else {
			c.arrivals.Add(1)
		}
		conn.(*net.TCPConn).SetLinger(0) // no port waits for late packets
		conn.Close()
	}
}
