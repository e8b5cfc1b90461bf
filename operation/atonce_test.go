//go:build linux

package operation

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Reloads, recycling, deaths by hand and questions all at once end in what was asked for: the
// new version in each slot, one process for each, and nothing else.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "3", "-recycle", "300", "-web", "http://127.0.0.1:0", "-drain", "200ms")
	addr := in.address("orders")
	over := make(chan struct{})
	var answers atomic.Int64
	var clients, operators sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					answers.Add(int64(converse(t, addr, 100)))
				}
			}
		})
	}
	in.deploy("2", "")
	for range 2 {
		operators.Go(func() {
			for range sized(3, 50) {
				if r := in.run("reload"); r.code != 0 && !strings.Contains(r.out, "before it was ready") { // it was killed
					t.Errorf("reload: exit code %d\n%s%s", r.code, r.out, r.errOut)
				}
			}
		})
	}
	operators.Go(func() {
		for range sized(10, 200) {
			if list := in.worker("orders").Processes; len(list) > 0 {
				p := list[rand.IntN(len(list))]
				syscall.Kill(p.PID, []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGSTOP}[rand.IntN(4)])
				syscall.Kill(p.PID, syscall.SIGCONT)
			}
		}
	})
	operators.Go(func() {
		for range sized(10, 200) {
			in.must("connections")
			in.must("stack")
		}
	})
	operators.Wait()
	in.must("reload") // after which no crash loop delays a start, and the version is one
	close(over)
	clients.Wait()
	in.until("all serve, and only those", func() bool {
		s := in.status()
		return s.State == "running" && len(s.Workers) == 2 && ready(s.Workers[0]) == 3 && ready(s.Workers[1]) == 3 && len(in.processes()) == 7
	})
	slots := make(map[int]bool)
	for _, p := range in.worker("orders").Processes {
		slots[p.Slot] = true
	}
	if len(slots) != 3 || answers.Load() == 0 {
		t.Errorf("slots %v, %d answers", slots, answers.Load())
	}
	for range 6 {
		if got := dial(t, addr).ask("version"); got != "2" {
			t.Errorf("version %s answers", got)
		}
	}
}

// converse asks n times on one connection, or until that breaks, as it may when a process is
// killed. It returns how many answers came.
func converse(t *testing.T, addr string, n int) (answers int) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Errorf("a client is not let in: %v", err)
		return 0
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	for i := range n {
		text := fmt.Sprintf("message %d\n", i)
		answer := make([]byte, len(text))
		if _, err := io.WriteString(c, text); err != nil {
			return i
		}
		switch _, err := io.ReadFull(c, answer); {
		case err != nil && strings.Contains(err.Error(), "timeout"):
			t.Error("no answer, and no end of the connection")
			return i
		case err != nil:
			return i
		case string(answer) != text:
			t.Errorf("answer %q to %q", answer, text)
		}
	}
	return n
}

// A stop at any moment of a reload is complete.
func TestStopAtAnyMomentOfAReload(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	for round := range sized(4, 60) {
		in.must("start", "-d", "-count", "3", "-adopt")
		addr := in.address("orders")
		for range 10 {
			dial(t, addr).ask("x")
		}
		reload := in.command("reload")
		if err := reload.Start(); err != nil {
			t.Fatal(err)
		}
		if round%2 == 1 {
			in.until("the reload begins", func() bool {
				now := in.status()
				return now.State == "reloading" || now.Reloads > 0
			})
		}
		in.must("stop")
		reload.Wait() // whatever it says
		in.until("no process is left", func() bool { return len(in.processes()) == 0 })
	}
}
