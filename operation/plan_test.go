//go:build linux

package operation

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// defaults gives the program on the disk other flags to begin with, as a new version may
// have.
func (in *installation) defaults(flags ...string) {
	in.t.Helper()
	if err := os.WriteFile(in.program+".flags", []byte(strings.Join(flags, "\n")), 0o644); err != nil {
		in.t.Fatal(err)
	}
}

// settled waits until a worker has just its count of processes, and returns it.
func (in *installation) settled(name string, count int) (w control.Worker) {
	in.t.Helper()
	in.until(fmt.Sprintf("%d processes of %s", count, name), func() bool {
		w = in.worker(name)
		return len(w.Processes) == count && ready(w) == count
	})
	for i, p := range w.Processes {
		if p.Slot != i {
			in.t.Errorf("worker %s: slots of %+v", name, w.Processes)
		}
	}
	return w
}

// free returns an address on which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// refused waits until nobody listens on an address.
func refused(t *testing.T, addr string) {
	t.Helper()
	until(t, "nobody listens on "+addr, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

// A reload follows the program to another number of processes, on one socket and with one
// for each.
func TestReloadRecounts(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"-loops=1", "-reuseport", "-reuseport -loops=2"} {
		in := install(t, "1")
		in.defaults("-count", "2", flags)
		in.daemon()
		addr := in.address("orders")
		for _, count := range []int{4, 1, 3} {
			in.defaults("-count", fmt.Sprint(count), flags)
			in.must("reload")
			w := in.settled("orders", count)
			if w.Count != count {
				t.Errorf("%s: status has a count of %d instead of %d", flags, w.Count, count)
			}
			for range 20 {
				if got := dial(t, addr).ask("hi"); got != "hi" {
					t.Errorf("%s: answer %q", flags, got)
				}
			}
		}
	}
}

// A reload follows the program to another address, and closes the old one.
func TestReloadReaddresses(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	a, b := free(t), free(t)
	in.defaults("-count", "2", "-listen", "text://"+a)
	in.daemon()
	c := dial(t, a)
	c.ask("hi")
	in.defaults("-count", "2", "-listen", "text://"+b)
	in.must("reload")
	if got := dial(t, b).ask("hi"); got != "hi" {
		t.Errorf("answer %q", got)
	}
	refused(t, a)
	c.closed() // by the drain
	in.until("one worker is left", func() bool { return len(in.status().Workers) == 1 })
	if got := in.address("orders"); got != b {
		t.Errorf("status has the address %s", got)
	}
}

// Workers come and go with the program.
func TestReloadAddsAndRemovesWorkers(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	web := free(t)
	in.daemon()
	for range 2 {
		in.defaults("-web", "http://"+web)
		in.must("reload")
		c := dial(t, web)
		if got := c.ask("GET / HTTP/1.0\r\n\r"); !strings.Contains(got, "200") {
			t.Errorf("answer %q", got)
		}
		in.settled("web", 1)
		in.defaults()
		in.must("reload")
		refused(t, web)
		in.until("one worker is left", func() bool { return len(in.status().Workers) == 1 })
	}
}

// What a new version cannot have leaves everything as it is.
func TestReloadRefusesPlans(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	in := install(t, "1")
	in.defaults("-listen", "text://"+free(t))
	in.daemon("-count", "2")
	addr := in.address("orders")
	pids := in.processes()
	for _, c := range []struct{ flags, text string }{
		{"-web=http://" + taken.Addr().String(), "another socket listens"},
		{"-web=http://" + addr, "has the same address"},
		{"-listen=text://" + addr + " -reuseport", "a change of ReusePort needs a restart"},
		{"-listen=none://here", "none://here"},
	} {
		in.defaults(append([]string{"-listen=text://" + addr}, strings.Fields(c.flags)...)...)
		in.refuse(1, c.text, "reload")
		if got := in.processes(); !slices.Equal(got, pids) {
			t.Errorf("%s: processes %v became %v", c.flags, pids, got)
		}
		if s := in.status(); len(s.Workers) != 1 || s.State != "running" {
			t.Errorf("%s: status %+v", c.flags, s)
		}
		if got := dial(t, addr).ask("hi"); got != "hi" {
			t.Errorf("%s: answer %q", c.flags, got)
		}
	}
}

// What a process listens on by itself ends with the version that did so, and not before.
func TestReloadEndsInnerListeners(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	inner := free(t)
	in.defaults("-count=2", "-inner=text://"+inner)
	in.daemon()
	in.defaults("-count=2", "-inner=text://"+inner, "-web=http://"+free(t))
	in.must("reload")
	if got := dial(t, inner).ask("hi"); got != "hi" {
		t.Errorf("answer %q", got)
	}
	in.defaults("-count=2")
	in.must("reload")
	refused(t, inner)
}

// Workers of the same processes move together.
func TestReloadOfAWorkerInside(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	guest := free(t)
	in.daemon("-inside", "text://"+guest, "-count", "2")
	c := dial(t, guest)
	pid := c.number("pid")
	in.deploy("2", "")
	in.must("reload")
	if got := c.ask("version"); got != "2" {
		t.Errorf("version %s answers on a connection that was there before", got)
	}
	if now := c.number("pid"); now == pid {
		t.Error("the process is the same")
	}
	w := in.worker("guest")
	if w.Inside != "orders" || w.Count != 2 || len(w.Processes) != 0 {
		t.Errorf("status %+v", w)
	}
}

// No datagram is lost by a reload.
func TestReloadOfUDP(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"-loops=1", "-reuseport"} {
		in := install(t, "1")
		in.daemon("-listen", "udp://127.0.0.1:0", "-count", "2", flags)
		addr := in.address("orders")
		over := make(chan struct{})
		lost := make(chan int, 8)
		for range cap(lost) {
			go func() {
				n := 0
				defer func() { lost <- n }()
				for {
					select {
					case <-over:
						return
					default:
					}
					c, err := net.Dial("udp", addr) // from another port, for another socket
					if err != nil {
						t.Error(err)
						return
					}
					c.SetDeadline(time.Now().Add(patience))
					c.Write([]byte("hello"))
					if k, err := c.Read(make([]byte, 64)); err != nil || k != 5 {
						n++
					}
					c.Close()
				}
			}()
		}
		for n := range 5 {
			in.deploy(string('2'-rune(n%2)), "")
			in.must("reload")
		}
		close(over)
		for range cap(lost) {
			if n := <-lost; n > 0 {
				t.Errorf("%s: %d datagrams without an answer", flags, n)
			}
		}
	}
}

// The file of a Unix socket is there as long as the service, and goes with it.
func TestUnixSocketThroughReloads(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	path := in.program + "-orders.sock"
	in.daemon("-listen", "text+unix://"+path, "-count", "2")
	c := dial(t, path)
	c.ask("hi")
	before, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	in.deploy("2", "")
	in.must("reload")
	if got := c.ask("version"); got != "2" {
		t.Errorf("version %s answers on a connection that was there before", got)
	}
	syscall.Kill(c.number("pid"), syscall.SIGKILL)
	c.closed()
	in.settled("orders", 2)
	if got := dial(t, path).ask("hi"); got != "hi" {
		t.Errorf("answer %q", got)
	}
	now, err := os.Lstat(path)
	if err != nil || !os.SameFile(before, now) {
		t.Errorf("the file is another: %v", err)
	}
	in.must("stop")
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the file is left: %v", err)
	}
}

// Processes of another user are started, reloaded, replaced and handed over as others are.
func TestUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may start processes of another user")
	}
	t.Parallel()
	in := install(t, "1")
	if err := os.Chmod(strings.TrimSuffix(in.program, "/app"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := in.program + "-orders.sock"
	in.daemon("-user", "nobody", "-count", "2", "-listen", "text+unix://"+path)
	c := dial(t, path)
	if got := c.ask("user"); got == "0" {
		t.Errorf("user %s", got)
	}
	in.deploy("2", "")
	in.must("reload")
	if got := c.ask("version"); got != "2" {
		t.Errorf("version %s answers on a connection that was there before", got)
	}
	pid := c.number("pid")
	c.send("exit")
	c.closed()
	in.until("a successor", func() bool {
		w := in.worker("orders")
		return ready(w) == 2 && !slices.ContainsFunc(w.Processes, func(p control.Process) bool { return p.PID == pid })
	})
	if got := dial(t, path).ask("user"); got == "0" {
		t.Errorf("user %s", got)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid == 0 {
		t.Error("the socket is root's")
	}
	if w := in.worker("orders"); w.User != "nobody" {
		t.Errorf("status has the user %q", w.User)
	}
}
