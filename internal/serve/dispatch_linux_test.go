package serve

import (
	"errors"
	"fmt"
	"testing"

	"github.com/workerman-go/workerman/internal/console"
	"github.com/workerman-go/workerman/internal/master"
)

func TestServed(t *testing.T) {
	for _, test := range []struct {
		role, command string
		daemon        bool
		want          bool
	}{
		{role: master.RoleWorker, want: true},
		{role: master.RoleDaemon, command: "start", daemon: true, want: true},
		{role: master.RoleDescribe},
		{want: true},
		{command: "start", want: true},
		{command: "restart", want: true},
		{command: "start", daemon: true}, // the daemon is another process
		{command: "restart", daemon: true},
		{command: "stop"},
		{command: "status"},
		{command: "help"},
	} {
		i := invocation{role: test.role, command: console.Command{Name: test.command, Daemon: test.daemon}}
		if got := i.served(); got != test.want {
			t.Errorf("role %q, command %q, daemon %v: got %v, want %v", test.role, test.command, test.daemon, got, test.want)
		}
	}
}

func TestExitCode(t *testing.T) {
	if shown(nil) != nil {
		t.Error("no error became one that was shown")
	}
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, console.ExitDone},
		{shown(errors.New("printed before")), console.ExitFailed},
		{shown(fmt.Errorf("behind another: %w", master.ErrNotRunning)), console.ExitNotRunning},
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("%v: got %d, want %d", test.err, got, test.want)
		}
	}
}
