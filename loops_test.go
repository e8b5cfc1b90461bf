package workerman

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

func TestLoopsShareConnections(t *testing.T) {
	for _, reusePort := range []bool{false, true} {
		kinds(t, func(t *testing.T, k kind) {
			_, w := serve(t, k, "text", func(w *Worker) {
				w.Loops, w.ReusePort = 3, reusePort
				w.OnConnect = func(c *Conn) { c.Data = new(int) }
				w.OnMessage = func(c *Conn, data []byte) {
					n := c.Data.(*int) // the race detector watches that a connection is serial
					*n++
					c.Send(fmt.Append(nil, *n))
				}
			})
			conns := make([]net.Conn, 30)
			for i := range conns {
				conns[i] = dial(t, w)
			}
			for i, c := range conns {
				io.WriteString(c, "a\nb\nc\n")
				in := bufio.NewScanner(c)
				for want := 1; want <= 3; want++ {
					if !in.Scan() || in.Text() != fmt.Sprint(want) {
						t.Fatalf("connection %d: %q, want %d", i, in.Text(), want)
					}
				}
			}
			s := w.runningServer()
			if len(s.loops) != 3 {
				t.Fatalf("%d loops", len(s.loops))
			}
			for i := range s.assigned {
				if n := s.assigned[i].Load(); !reusePort && (n < 10-loopSlack || n > 10+loopSlack) {
					t.Errorf("loop %d has %d of 30 connections", i, n)
				}
			}
			for _, c := range conns {
				c.Close()
			}
			eventually(t, "all are gone", func() bool {
				return s.assigned[0].Load()+s.assigned[1].Load()+s.assigned[2].Load() == 0 && w.Stats().Connections == 0
			})
		})
	}
}

func TestEventLoop(t *testing.T) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGUSR1) // starts a goroutine of package signal that stays
	signal.Stop(ch)
	engines(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "tcp", nil)
		e := w.EventLoop()
		onLoop := func(fn func()) {
			done := make(chan struct{})
			e.Post(func() { defer close(done); fn() })
			receive(t, done, "the loop")
		}

		got := make(chan struct{}, 1)
		e.OnSignal(syscall.SIGUSR1, func() { got <- struct{}{} })
		syscall.Kill(os.Getpid(), syscall.SIGUSR1)
		receive(t, got, "the signal")
		e.OffSignal(syscall.SIGUSR1)

		r, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer out.Close()
		fd, outFd := int(r.Fd()), int(out.Fd())
		text := make(chan string, 10)
		onLoop(func() {
			err = e.OnReadable(fd, func() {
				buf := make([]byte, 100)
				n, _ := syscall.Read(fd, buf)
				text <- string(buf[:n])
				if string(buf[:n]) == "last" {
					e.OffReadable(fd)
				}
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []string{"first", "last"} {
			io.WriteString(out, m)
			if s := receive(t, text, "the pipe"); s != m {
				t.Errorf("%q, want %q", s, m)
			}
		}
		writable := make(chan struct{}, 100)
		onLoop(func() {
			err = e.OnWritable(outFd, func() {
				writable <- struct{}{}
				e.OffWritable(outFd)
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		receive(t, writable, "room in the pipe")
		onLoop(func() {})
		if len(writable) > 0 {
			t.Error("OnWritable after OffWritable")
		}
	})
}
