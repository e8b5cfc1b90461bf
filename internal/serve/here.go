package serve

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// RunHere serves everything in this process until a signal comes. A second one ends it at
// once.
func RunHere(p Program) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case sig := <-signals:
			p.Settings().logger().Info("stopping", "signal", sig.String())
			cancel()
		case <-finished:
			return
		}
		for {
			select {
			case sig := <-signals:
				if sig != syscall.SIGHUP { // kernel and shell send one each when a terminal closes
					os.Exit(1)
				}
			case <-finished:
				return
			}
		}
	}()
	defer signal.Stop(signals)
	return p.Run(ctx)
}
