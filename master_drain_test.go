package workerman_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// draining runs a drain after the listeners were closed, and tells when it has returned.
func draining(s *service, d time.Duration, graceful bool) (over <-chan int) {
	s.Master.Unlisten()
	ended := make(chan int, 1)
	go func() {
		last := 0
		s.Master.Drain(d, graceful, func(left int) { last = left })
		ended <- last
	}()
	return ended
}

// waits reports whether a drain goes on.
func waits(over <-chan int) bool {
	select {
	case <-over:
		return false
	default:
		return true
	}
}

// ends expects the end of a connection.
func ends(t *testing.T, c net.Conn) {
	t.Helper()
	if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v instead of the end", rest, err)
	}
}

func TestDrainHTTP(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		requests := make(chan workerman.Responder, 1)
		s, w := serve(t, k, "http", func(w *workerman.Worker) {
			w.OnRequest = func(c *workerman.Conn, r *web.Request) {
				switch r.Path() {
				case "/now":
					c.Respond(web.Text("now"))
				case "/later":
					requests <- c.Responder()
				case "/events":
					c.Stream(web.EventStream())
				}
			}
		})
		ask := func(path string) (net.Conn, *bufio.Reader) {
			c := dial(t, w)
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
			return c, bufio.NewReader(c)
		}
		idle, r := ask("/now")
		if body, err := readAnswer(r); body != "now" || err != nil {
			t.Fatal(body, err)
		}
		half, half2 := ask("/now")
		if _, err := readAnswer(half2); err != nil {
			t.Fatal(err)
		}
		io.WriteString(half, "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
		eventually(t, "half a request is there", func() bool { return unconsumed(w) })
		_, events := ask("/events")
		if answer, err := http.ReadResponse(events, nil); err != nil || answer.StatusCode != 200 {
			t.Fatal(answer, err)
		}
		busy, later := ask("/later")
		responder := testkit.Receive(t, requests, "the request")

		over := draining(s, testkit.Patience, true)
		ends(t, idle)
		responder.Respond(web.Text("at last"))
		answer, err := http.ReadResponse(later, nil)
		if err != nil || !answer.Close {
			t.Errorf("%+v, %v: the connection should end with the answer", answer, err)
		}
		io.ReadAll(answer.Body)
		ends(t, busy)
		io.WriteString(half, "x") // a request that had begun is answered
		if body, err := readAnswer(half2); body != "now" || err != nil {
			t.Error(body, err)
		}
		ends(t, half)
		eventually(t, "the others have left", func() bool { return w.Stats().Connections == 1 })
		if !waits(over) {
			t.Error("the drain did not wait for the stream of events")
		}
		for c := range w.Connections() {
			c.Destroy()
		}
		if left := testkit.Receive(t, over, "the drain returns early"); left != 0 {
			t.Errorf("%d are left", left)
		}
	})
}

// readAnswer reads an answer with status 200.
func readAnswer(r *bufio.Reader) (body string, err error) {
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != 200 {
		err = fmt.Errorf("status %s", answer.Status)
	}
	return string(b), err
}

// readBack reads what must come.
func readBack(r io.Reader, want []byte) error {
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("got %.40q instead of %.40q", got, want)
	}
	return nil
}

// unconsumed reports whether a connection of w holds a part of a message.
func unconsumed(w *workerman.Worker) bool {
	answer := make(chan bool)
	w.Post(func() {
		found := false
		for c := range w.Connections() {
			found = found || c.Unconsumed() > 0
		}
		answer <- found
	})
	return <-answer
}

func TestDrainSpreads(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s := newService(t, k)
		chat, lines := s.NewWorker(k.Address(t, "websocket")), s.NewWorker(k.Address(t, "text"))
		echo(lines)
		s.Start()
		var sockets []*workertest.WebSocket
		for range 5 {
			sockets = append(sockets, workertest.DialWebSocket(t, chat, "/", nil))
		}
		line := dial(t, lines)
		io.WriteString(line, "hello\n")
		if err := readBack(line, []byte("hello\n")); err != nil {
			t.Fatal(err)
		}

		graceful := draining(s, 50*time.Millisecond, true)
		if left := testkit.Receive(t, graceful, "the time is over"); left != 6 {
			t.Errorf("%d of 6 are left although nobody was told to go", left)
		}
		over := draining(s, time.Second, false)
		for _, c := range sockets { // in the order in which they came
			if ev := c.Next(); ev.Op != websocket.Close || ev.Code != websocket.CloseServiceRestart {
				t.Errorf("%v %d", ev.Op, ev.Code)
			}
			c.Close()
		}
		ends(t, line)
		line.Close()
		if left := testkit.Receive(t, over, "the drain returns early"); left != 0 {
			t.Errorf("%d are left", left)
		}
	})
}
