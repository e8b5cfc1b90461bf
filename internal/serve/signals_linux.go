package serve

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signals serves the signals of the master. After one that stops, a second one ends it at
// once.
func (v *supervision) signals(ctx context.Context) {
	ch := make(chan os.Signal, 8)
	signal.Notify(ch, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if v.daemon || !signal.Ignored(sig) { // as by nohup, and for background jobs of scripts
			signal.Notify(ch, sig)
		}
	}
	defer signal.Stop(ch)
	surviveTerminal()
	stopping := false
	for {
		var sig os.Signal
		select {
		case sig = <-ch:
		case <-ctx.Done():
			return
		}
		why := "signal " + sig.String()
		switch {
		case sig == syscall.SIGUSR1, sig == syscall.SIGHUP && v.daemon:
			go v.supervisor.Reload(false, nil)
		case sig == syscall.SIGUSR2:
			go v.supervisor.Reload(true, nil)
		case sig == syscall.SIGQUIT:
			go v.supervisor.Stop(true, why, nil)
		case stopping && sig == syscall.SIGHUP: // kernel and shell send one each when a terminal closes
		case stopping:
			v.supervisor.Kill("second " + why)
		default:
			stopping = true
			go v.supervisor.Stop(false, why, nil)
		}
	}
}

// surviveTerminal keeps the process going when it writes to a terminal that is gone or that
// stops who writes from the background. SIGPIPE and SIGHUP are caught for nobody rather than
// ignored, because programs that this one starts would inherit that.
func surviveTerminal(also ...os.Signal) {
	signal.Notify(make(chan os.Signal, 1), append(also, syscall.SIGPIPE)...)
	signal.Ignore(syscall.SIGTTOU)
}
