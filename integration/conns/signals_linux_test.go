package conns

import (
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

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
