package filemonitor

import (
	"context"
	"io/fs"
	"os"

	"github.com/workerman-go/workerman"
)

// Watch makes a worker without an address, in a process of its own, that watches the source
// of the program and other files. When source has changed the program is built anew; what
// the compiler finds wrong is shown, and otherwise the master is asked for a reload. Call it
// before RunAll, as often as there are programs to build.
//
// In a daemon, and under systemd, the worker has nothing to do: see Options.Always. Mistakes in
// the options stop the start. The worker is returned for other settings of it, as User.
func Watch(o Options) *workerman.Worker { return watch(workerman.NewWorker(""), o, workerman.Reload) }

func watch(w *workerman.Worker, o Options, reload func() error) *workerman.Worker {
	w.Name = "filemonitor"
	w.Reloadable = false // it would end its own reload
	var stop context.CancelFunc
	var stopped chan struct{}
	w.OnWorkerStart = func(*workerman.Worker) error {
		if !o.Always && !seen(os.Stderr) {
			return nil
		}
		m, err := newMonitor(o, reload)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(context.Background())
		stop, stopped = cancel, make(chan struct{})
		go func() {
			defer close(stopped)
			m.run(ctx)
		}()
		return nil
	}
	w.OnWorkerStop = func(*workerman.Worker) {
		if stop != nil {
			stop()
			<-stopped
		}
	}
	return w
}

// seen reports whether somebody reads what is written to a file: a terminal or a pipe. A
// daemon has a file or /dev/null there, a service of systemd a socket.
func seen(file *os.File) bool {
	info, err := file.Stat()
	if err != nil {
		return false
	}
	if info.Mode()&fs.ModeNamedPipe != 0 {
		return true
	}
	if info.Mode()&fs.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
