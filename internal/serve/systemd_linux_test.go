package serve

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/master"
	"github.com/workerman-go/workerman/internal/testkit"
)

// notified is the socket that a service manager would listen on.
func notified(t *testing.T) *net.UnixConn {
	t.Helper()
	path := testkit.SocketPath(t)
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(testkit.Patience))
	t.Setenv("NOTIFY_SOCKET", path)
	return c
}

// said is the next message to the service manager.
func said(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	b := make([]byte, 1024)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestServiceManagerIsToldTheState(t *testing.T) {
	c, s := notified(t), openManager(slog.New(slog.DiscardHandler))
	for _, told := range []struct {
		state master.State
		words []string
	}{
		{master.Running, []string{"READY=1", "STATUS=running"}},
		{master.Reloading, []string{"RELOADING=1", "STATUS=reloading"}},
		{master.Stopping, []string{"STOPPING=1", "STATUS=stopping: test"}},
	} {
		s.tell(told.state, "test")
		text := said(t, c)
		for _, words := range told.words {
			if !strings.Contains(text, words) {
				t.Errorf("state %v: got %q, want %q in it", told.state, text, words)
			}
		}
	}
}

func TestServiceManagerThatIsGone(t *testing.T) {
	log := new(testkit.Log)
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nobody"))
	openManager(slog.New(slog.NewTextHandler(log, nil))).tell(master.Running, "")
	if len(log.Lines("systemd is not told")) != 1 {
		t.Errorf("got the log %q, want a line that systemd is not told", log.String())
	}
}

// The watchdog of systemd hears of the master as long as that answers.
func TestServiceManagerHearsThatTheMasterLives(t *testing.T) {
	c := notified(t)
	t.Setenv("WATCHDOG_USEC", "30000")
	v, err := master.New(master.Plan{}, master.Options{Log: slog.New(slog.DiscardHandler), Program: "/proc/self/exe"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		openManager(slog.New(slog.DiscardHandler)).watch(ctx, v)
	}()
	for range 3 {
		if text := said(t, c); !strings.Contains(text, "WATCHDOG=1") {
			t.Errorf("got %q, want WATCHDOG=1", text)
		}
	}
	cancel()
	testkit.Receive(t, done, "the end of the watch")
}
