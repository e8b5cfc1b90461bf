//go:build linux

package operation

import (
	"flag"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/operation/siege"
)

// full makes the sieges as large as the machine allows: see scripts/siege.sh.
var full = flag.Bool("full", false, "sieges in full size, which takes minutes")

// sized picks the size of a siege.
func sized[T any](small, large T) T {
	if *full {
		return large
	}
	return small
}

// table prints lines of a siege in full size.
func table(format string, values ...any) {
	if *full {
		fmt.Printf("    "+format+"\n", values...)
	}
}

// surround begins a siege of the web worker.
func surround(t *testing.T, o siege.Options) *siege.Crowd {
	t.Helper()
	c, err := siege.Begin(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// judge reports what clients went through, and complains about each fault.
func judge(t *testing.T, what string, r siege.Report) {
	t.Helper()
	for _, kind := range slices.Sorted(maps.Keys(r.Faults)) {
		t.Errorf("%s: %d %s", what, r.Faults[kind], kind)
	}
	if len(r.Examples) > 0 {
		t.Errorf("%s: for example\n%s", what, strings.Join(r.Examples, "\n"))
	}
	if r.Messages+r.Requests+r.Arrivals == 0 {
		t.Errorf("%s: nothing happened", what)
	}
	table("%-28s %9d messages %9d requests %7d newcomers", what, r.Messages, r.Requests, r.Arrivals)
	table("%-28s longest answer of a WebSocket %v; of HTTP %v", "", r.Gaps, r.Waits)
}

// talk waits until everybody has had an answer to something new.
func talk(t *testing.T, c *siege.Crowd) {
	t.Helper()
	until(t, "everybody has had an answer", c.Everyone())
}

// army is the load of a siege by reloads.
func army(addr string) siege.Options {
	return siege.Options{
		Addr: addr, Talkers: sized(500, 10_000), Pace: sized(250*time.Millisecond, 2*time.Second),
		Askers: sized(20, 100), AskPace: sized(10*time.Millisecond, 20*time.Millisecond),
		Newcomers: sized(4, 10), NewPace: 10 * time.Millisecond,
	}
}

// Reloads under load are noticed by nobody.
func TestSiegeByReloads(t *testing.T) {
	t.Run("one socket", func(t *testing.T) { siegeByReloads(t, "-loops=1") })
	t.Run("a socket for each loop", func(t *testing.T) { siegeByReloads(t, "-reuseport", "-loops=2") })
}

func siegeByReloads(t *testing.T, flags ...string) {
	in := install(t, "1")
	in.daemon(append([]string{"-web", "http://127.0.0.1:0", "-count", "2"}, flags...)...)
	crowd := surround(t, army(in.address("web")))
	talk(t, crowd)
	judge(t, "without a reload", crowd.Report())
	for n := range sized(3, 10) {
		in.deploy(string('2'-rune(n%2)), "")
		began := time.Now()
		args := []string{"reload"}
		if n%3 == 2 {
			args = append(args, "-g")
		}
		in.must(args...)
		took := time.Since(began)
		talk(t, crowd)
		judge(t, fmt.Sprintf("%s %d, %.1f s", strings.Join(args, " "), n+1, took.Seconds()), crowd.Report())
		if r := in.status().Reload; r == nil || r.Error != "" || r.Replaced != 4 || r.Moved < int64(sized(500, 10_000)) {
			t.Errorf("reload %+v", r)
		}
	}
	judge(t, "afterwards", crowd.End())
	in.until("the old processes have left", func() bool { return len(in.processes()) == 5 })
	for _, w := range in.status().Workers {
		if len(w.Exits) > 0 {
			t.Errorf("worker %s: exits %+v", w.Name, w.Exits)
		}
	}
}

// Processes that are replaced all the time are noticed by nobody either.
func TestSiegeByRecycling(t *testing.T) {
	in := install(t, "1")
	in.daemon("-web", "http://127.0.0.1:0", "-count", "2", "-recycle", "500")
	o := army(in.address("web"))
	o.Talkers = sized(200, 2000)
	crowd := surround(t, o)
	in.until("ten processes were replaced", func() bool {
		n := 0
		for _, e := range in.worker("web").Exits {
			if strings.HasPrefix(e.Cause, "recycled: ") {
				n += e.Count
			}
		}
		return n >= sized(4, 20)
	})
	judge(t, "recycling", crowd.End())
	for _, e := range in.worker("web").Exits {
		if e.Cause != "recycled: 500 requests" {
			t.Errorf("exit %+v", e)
		}
	}
}

// wrkErrors are what wrk says of what went wrong.
var wrkErrors = regexp.MustCompile(`Socket errors:.*|Non-2xx.*`)

// Reloads under the full load of another program.
func TestSiegeByWrk(t *testing.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Skip("wrk is not installed")
	}
	in := install(t, "1")
	in.daemon("-web", "http://127.0.0.1:0", "-count", "2")
	seconds := fmt.Sprint(sized(2, 15))
	cmd := exec.Command("wrk", "-t1", "-c50", "-d"+seconds, "--latency", "http://"+in.address("web")+"/")
	done := make(chan string, 1)
	go func() {
		out, err := cmd.CombinedOutput()
		if err != nil {
			out = fmt.Append(out, "Socket errors: ", err)
		}
		done <- string(out)
	}()
	for n := 1; ; n++ {
		in.deploy(string('1'+rune(n%2)), "")
		in.must("reload")
		select {
		case out := <-done:
			if bad := wrkErrors.FindString(out); bad != "" {
				t.Errorf("wrk, %d reloads: %s\n%s", n, bad, out)
			}
			table("%-28s %s", fmt.Sprintf("wrk, %d reloads", n), strings.Join(strings.Fields(out), " "))
			return
		default:
		}
	}
}

// ready counts the processes of a worker that serve.
func ready(w control.Worker) (n int) {
	for _, p := range w.Processes {
		if p.State == control.Ready {
			n++
		}
	}
	return n
}

// Clients who come while the number of processes changes are all let in and served. With a
// socket for each process that is so as long as the number grows: the system resets who is
// in the middle of connecting to a socket that is closed.
func TestSiegeByRecounts(t *testing.T) {
	t.Run("one socket", func(t *testing.T) { siegeByRecounts(t, "-loops=1", 4, 1, 3, 2, 5, 1) })
	t.Run("a socket for each process", func(t *testing.T) { siegeByRecounts(t, "-reuseport", 2, 3, 5, 8) })
}

func siegeByRecounts(t *testing.T, flag string, counts ...int) {
	in := install(t, "1")
	in.defaults("-count=2", flag)
	in.daemon("-web", "http://127.0.0.1:0")
	crowd := surround(t, siege.Options{Addr: in.address("web"), Askers: 1, AskPace: time.Hour, Newcomers: 20, NewPace: time.Millisecond})
	for _, count := range counts {
		in.defaults(fmt.Sprintf("-count=%d", count), flag)
		in.must("reload")
		in.settled("web", count)
	}
	judge(t, "other numbers, "+flag, crowd.End())
}
