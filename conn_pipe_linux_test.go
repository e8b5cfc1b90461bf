package workerman_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/frame"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// kernelPipes counts the descriptors of pipes that this process has.
func kernelPipes(t *testing.T) (n int) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if to, _ := os.Readlink("/proc/self/fd/" + f.Name()); strings.HasPrefix(to, "pipe:") {
			n++
		}
	}
	return n
}

// Bulk data of a proxy does not come into the process, and what changes in the middle of it
// holds from there on. Messages of a protocol, and small ones, are passed on one by one.
func TestPipeOfBulk(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, c := range []struct {
			name    string
			scheme  string
			message int // bytes of a write, 0 for everything at once
			spliced bool
		}{{"bytes", "tcp", 0, !k.Portable}, {"small", "tcp", 64, false}, {"frames", "frame", 0, false}} {
			t.Run(c.name, func(t *testing.T) {
				var address atomic.Value
				var back *workerman.Worker
				var passed atomic.Pointer[workerman.Conn]
				s, front := workertest.ServeWith(t, k, c.scheme, func(s *service, w *workerman.Worker) {
					w.MaxPackageSize = 32 << 20
					back = s.NewWorker(k.Address(t, "tcp"))
					back.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
					back.MaxSendBuffer = 64 << 20
					w.OnConnect = func(c *workerman.Conn) {
						passed.Store(c)
						pipeTo(address.Load().(string), c)
					}
				})
				address.Store(clientOf(s, back, c.scheme).Address())
				const size = 8 << 20
				before := kernelPipes(t)
				conn := dial(t, front)
				sent := numbered(1, size)
				if c.scheme == "frame" {
					b, err := frame.Append(nil, sent)
					if err != nil {
						t.Fatal(err)
					}
					sent = b
				}
				step := c.message
				if step == 0 {
					step = len(sent)
				}
				var most int
				got := make([]byte, len(sent))
				if c.message > 0 {
					sent, got = sent[:2000*c.message], got[:2000*c.message]
					for at := 0; at < len(sent); at += step {
						conn.Write(sent[at : at+step])
						if _, err := io.ReadFull(conn, got[at:at+step]); err != nil {
							t.Fatal(err)
						}
					}
					most = kernelPipes(t)
				} else {
					go conn.Write(sent)
					for at := 0; at < len(got); { // the pipe is there while it is of use
						n, err := conn.Read(got[at:min(at+64<<10, len(got))])
						if err != nil {
							t.Fatalf("%d bytes: %v", at, err)
						}
						if at += n; most <= before {
							most = max(most, kernelPipes(t))
						}
					}
				}
				if !bytes.Equal(got, sent) {
					t.Error("what came back is not what was sent")
				}
				if (most > before) != c.spliced {
					t.Errorf("%d descriptors of pipes, %d before", most, before)
				}
				p := passed.Load()
				if s := p.Stats(); s.BytesRead != uint64(len(sent)) || s.BytesWritten != uint64(len(sent)) || s.MessagesReceived == 0 || s.MessagesSent == 0 {
					t.Errorf("counted %+v", s)
				}
				other := make(chan string, 1)
				p.Post(func() { // the proxy answers by itself from now on
					p.ForgetPipe()
					p.Callbacks().OnMessage = func(c *workerman.Conn, data []byte) {
						other <- string(data)
						c.Close()
					}
				})
				last := "to the proxy itself"
				if c.scheme == "frame" {
					last = "\x00\x00\x00\x05!"
				}
				on := make(chan struct{})
				p.Post(func() { close(on) })
				testkit.Receive(t, on, "the loop")
				io.WriteString(conn, last)
				if got := testkit.Receive(t, other, "the message"); !strings.HasSuffix(last, got) || got == "" {
					t.Errorf("the proxy got %q", got)
				}
				io.ReadAll(conn)
				conn.Close()
				eventually(t, "all are gone", func() bool { return back.Stats().Connections+front.Stats().Connections == 0 })
			})
		}
	})
}

// pipeTo pipes a connection to a server through a client on the same loop.
func pipeTo(address string, c *workerman.Conn) {
	c.PauseRecv()
	up := c.NewClient(address)
	up.OnConnect = func(u *workerman.Conn) {
		c.Pipe(u)
		u.Pipe(c)
		c.ResumeRecv()
	}
	up.OnError = func(_ *workerman.Conn, err error) { c.Close() }
	up.Connect()
}
