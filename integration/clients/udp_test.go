package clients

import (
	"bytes"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/frame"
)

// An empty datagram is a message where there is no protocol, and several messages in one
// are several.
func TestClientUDPMessages(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s := newService(t, k)
		w := s.NewWorker("udp://127.0.0.1:0")
		w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(bytes.Repeat(data, 3)) }
		s.Start()
		h := make(happened, 10)
		raw := s.Master.NewClient("udp://" + w.Addr().String())
		h.Watch(raw)
		raw.Send(nil)
		connect(t, raw)
		h.Expect(t, "connect", "message ")
		framed := s.Master.NewClient("frame+udp://" + w.Addr().String())
		h.Watch(framed)
		framed.OnMessage = func(c *workerman.Conn, data []byte) {
			h <- "message " + string(data)
			if string(data) == "last" {
				c.Close()
			}
		}
		connect(t, framed)
		h.Expect(t, "connect")
		b, _ := frame.Append(nil, []byte("hello"))
		framed.Conn().SendRaw(b)
		h.Expect(t, "message hello", "message hello", "message hello")
		framed.Conn().SendRaw(append(b, 0, 0)) // what is no message ends the datagram
		h.Expect(t, "message hello")
		b, _ = frame.Append(nil, []byte("last"))
		framed.Conn().SendRaw(b)
		h.Expect(t, "message last", "close <nil>")
	})
}

// That nobody listens is an error of the open connection, which serves when somebody does.
func TestClientUDPRefused(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s := newService(t, k)
		s.NewWorker("text://127.0.0.1:0")
		s.Start()
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := pc.LocalAddr().String()
		pc.Close()
		cl := s.Master.NewClient("text+udp://" + addr)
		h := make(happened, 100)
		h.Watch(cl)
		cl.Backoff.Min = time.Hour // must not be needed
		cl.OnError = func(c *workerman.Conn, err error) {
			var op *net.OpError
			if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Addr.String() != addr || !c.Connected() {
				t.Errorf("%v", err)
			}
			h <- "refused"
		}
		connect(t, cl)
		h.Expect(t, "connect")
		for range 3 {
			if err := cl.Send([]byte("x")); err != nil {
				t.Errorf("Send: %v", err)
			}
			h.Expect(t, "refused")
		}
		// Sends that find the error of an earlier datagram are not lost with it.
		cl.Conn().Post(func() {
			for range 3 {
				if err := cl.Send([]byte("x")); err != nil {
					t.Errorf("Send: %v", err)
				}
			}
		})
		h.Expect(t, "refused", "refused", "refused")
		late := s.Master.NewWorker("text+udp://" + addr)
		echo(late)
		if err := late.Listen(); err != nil {
			t.Fatal(err)
		}
		cl.Send([]byte("there"))
		h.Expect(t, "message there")
	})
}
