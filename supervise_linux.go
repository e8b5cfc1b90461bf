package workerman

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
)

// describe tells a master what this program wants to run.
func (m *Master) describe() error {
	var d master.Description
	plan, err := m.plan()
	if err == nil {
		d.Plan = &plan
	} else {
		d.Error = err.Error()
	}
	f := os.NewFile(master.LinkDescriptor, "answer")
	defer f.Close()
	return json.NewEncoder(f).Encode(d)
}

// supervision is the master process.
type supervision struct {
	m          *Master
	files      fileSet
	daemon     bool
	supervisor *master.Supervisor
	server     *master.Server
	output     *serviceLog
	manager    *serviceManager
	log        *slog.Logger
	plan       master.Plan
	admin      string // address of the admin pages
}

// supervise makes this process the master until the service has stopped. ready is called
// when all processes serve, and reports whether it has told the terminal.
func (m *Master) supervise(daemon bool, ready func(control.Status) (told bool)) error {
	v := &supervision{m: m, daemon: daemon}
	var err error
	if v.plan, err = m.plan(); err != nil {
		return err
	}
	if v.files, err = m.paths(daemon); err != nil {
		return err
	}
	pid, err := master.LockPidFile(v.files.pid)
	if err != nil {
		return err
	}
	defer pid.Close()
	if err := v.prepare(); err != nil {
		return err
	}
	v.server = master.NewServer(v.supervisor, v.complete)
	if err := v.server.Listen(v.files.pid); err != nil {
		return err
	}
	defer v.server.Shutdown()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := v.openAdmin(ctx); err != nil {
		return err
	}
	go v.signals(ctx)
	go v.manager.watch(ctx, v.supervisor)
	go v.keepFiles(ctx, pid)
	if os.Getpid() == 1 {
		go master.Reap(ctx)
	}
	if err := v.supervisor.Start(ctx); err != nil {
		return err
	}
	status := v.server.Status(ctx)
	if told := ready(status); !told || v.files.log != "" || m.Logger != nil {
		logStarted(v.log, status)
	}
	err = v.supervisor.Wait()
	v.log.Info("stopped")
	return err
}

// prepare opens the log and makes the supervisor.
func (v *supervision) prepare() error {
	program, err := ownFile()
	if err != nil {
		return err
	}
	v.output = newLog(v.daemon)
	if v.files.log != "" {
		if err := v.output.open(v.files.log, v.m.LogMaxSize); err != nil {
			return err
		}
	}
	v.output.install("master")
	v.log = v.m.logger()
	v.manager = openManager(v.log)
	o := master.Options{
		Program: program, Args: os.Args, Stdout: os.Stdout, Stderr: os.Stderr, Daemon: v.daemon, Log: v.log,
		Ready: v.m.StartTimeout, Graceful: v.m.GracefulTimeout, LogFiles: v.output.descriptors,
		OnReload: v.reopenOutput, OnExit: v.onExit, OnState: v.manager.tell, Activated: v.manager.socket,
	}
	if v.supervisor, err = master.New(v.plan, o); err != nil {
		return err
	}
	if v.files.log != "" {
		go v.output.follow(v.supervisor.Notify)
	}
	return nil
}

// reopenOutput begins a new StdoutFile of a daemon, in case the old one was moved away.
func (v *supervision) reopenOutput() int {
	if !v.daemon {
		return -1
	}
	f, err := v.m.openStdout()
	if err == nil {
		err = replaceOutput(int(f.Fd()))
		f.Close()
	}
	if err != nil {
		v.log.Warn("the old output goes on", "error", err)
		return -1
	}
	return int(os.Stdout.Fd())
}

// onExit passes the end of a process on to the user.
func (v *supervision) onExit(e master.Exit) {
	if fn := v.m.OnWorkerExit; fn != nil {
		v.m.guard(func() {
			fn(WorkerExit{Worker: e.Worker, ID: e.Slot, PID: e.PID, Cause: e.Cause, Code: e.Code, Signal: syscall.Signal(e.Signal)})
		})
	}
}

// complete adds to a status what the supervisor does not know.
func (v *supervision) complete(s *control.Status) {
	s.Version, s.Build = versions()
	s.User = userName()
	for i := range s.Workers {
		setDefault(&s.Workers[i].User, s.User)
	}
	s.PidFile, s.LogFile, s.Admin = v.files.pid, v.files.log, v.admin
}

// keepFiles puts back the pid file and the socket for commands if somebody removes or replaces
// them, as cleaners of temporary files do: without them nobody could stop the service.
func (v *supervision) keepFiles(ctx context.Context, pid *master.PidFile) {
	tick := time.NewTicker(keepPeriod)
	defer tick.Stop()
	told := ""
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		err := pid.Keep()
		if err == nil {
			err = v.server.Keep()
		}
		switch {
		case err == nil:
			told = ""
		case err.Error() != told:
			told = err.Error()
			v.log.Error("commands cannot reach the master", "error", err)
		}
	}
}

// keepPeriod is how often the master looks after its files.
const keepPeriod = time.Second

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

// startDaemon starts the master in the background and waits until it serves, or tells why
// not.
func (m *Master) startDaemon() (*control.Status, error) {
	out, err := m.openStdout()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	report, reportEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer report.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	program, err := ownFile()
	if err != nil {
		return nil, err
	}
	attr := &os.ProcAttr{
		Env:   append(os.Environ(), master.RoleVariable+"="+master.RoleDaemon, master.NameVariable+"="+os.Args[0]),
		Files: []*os.File{null, out, out, reportEnd},
		Sys:   &syscall.SysProcAttr{Setsid: true}, // out of the terminal's session
	}
	args := append([]string{"workerman: master " + program}, os.Args[1:]...)
	child, err := os.StartProcess("/proc/self/exe", args, attr)
	reportEnd.Close()
	if err != nil {
		return nil, err
	}
	var e control.Event
	switch err := json.NewDecoder(report).Decode(&e); {
	case errors.Is(err, io.EOF):
		state, _ := child.Wait()
		return e.Status, fmt.Errorf("the daemon ended before it served: %v", state)
	case err != nil:
		return e.Status, err
	case e.Error != "":
		child.Wait()
		return e.Status, errors.New(e.Error)
	}
	return e.Status, child.Release()
}

// runDaemon is the master in the background. Who started it waits at the descriptor for its
// report.
func (m *Master) runDaemon() error {
	report := os.NewFile(master.LinkDescriptor, "report")
	syscall.CloseOnExec(master.LinkDescriptor)
	send := func(e control.Event) { json.NewEncoder(report).Encode(e) }
	err := m.supervise(true, func(s control.Status) bool {
		send(control.Event{Status: &s, Done: true})
		report.Close()
		return false
	})
	if err != nil {
		send(control.Event{Error: err.Error()})
		m.logger().Error("the service ends", "error", err)
	}
	return err
}

// openStdout opens what a daemon writes its output to.
func (m *Master) openStdout() (*os.File, error) {
	path := m.StdoutFile
	setDefault(&path, os.DevNull)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("StdoutFile: %w", err)
	}
	return f, nil
}
