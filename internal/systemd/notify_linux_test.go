package systemd

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

func TestNotify(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), "@workerman-notify-" + strconv.Itoa(os.Getpid())} {
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetReadDeadline(time.Now().Add(testkit.Patience))
		t.Setenv("NOTIFY_SOCKET", name)
		for _, test := range []struct {
			states []string
			want   string
		}{
			{[]string{Ready}, "READY=1"},
			{[]string{Ready, Status("2 workers,\n 3 processes"), MainPID(7)}, "READY=1\nSTATUS=2 workers, 3 processes\nMAINPID=7"},
			{[]string{Stopping}, "STOPPING=1"},
			{[]string{Alive}, "WATCHDOG=1"},
		} {
			if err := Notify(test.states...); err != nil {
				t.Fatal(err)
			}
			if got := receive(t, c); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		}
	}
}

func receive(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

// The clock of a reload is the one that counts from the start of the machine.
func TestReloading(t *testing.T) {
	rest, ok := strings.CutPrefix(Reloading(), "RELOADING=1\nMONOTONIC_USEC=")
	first, err := strconv.ParseInt(rest, 10, 64)
	if !ok || err != nil || first <= 0 {
		t.Fatalf("%q", Reloading())
	}
	up, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Skip(err)
	}
	seconds, _ := strconv.ParseFloat(strings.Fields(string(up))[0], 64)
	if float64(first)/1e6 > seconds+1 {
		t.Errorf("%d µs, but the machine runs for %v s", first, seconds)
	}
}

func TestNotifyWithoutAReader(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Notify(Ready); err != nil {
		t.Error(err)
	}
	for _, name := range []string{filepath.Join(t.TempDir(), "nobody"), "vsock:2:1234"} {
		t.Setenv("NOTIFY_SOCKET", name)
		if err := Notify(Ready); err == nil || !strings.Contains(err.Error(), "NOTIFY_SOCKET") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWatchdog(t *testing.T) {
	me := strconv.Itoa(os.Getpid())
	for _, test := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"", "", 0},
		{"30000000", "", 30 * time.Second},
		{"30000000", me, 30 * time.Second},
		{"30000000", "1", 0},
		{"0", me, 0},
		{"-5", me, 0},
		{"x", me, 0},
		{"9223372036854775807", me, 0},
	} {
		t.Setenv("WATCHDOG_USEC", test.usec)
		t.Setenv("WATCHDOG_PID", test.pid)
		if got := Watchdog(); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
