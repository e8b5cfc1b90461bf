package serve

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
)

// describe tells a master what this program wants to run.
func describe(p Program) error {
	var d master.Description
	plan, err := p.Plan()
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
	settings   Settings
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
func supervise(p Program, daemon bool, ready func(control.Status) (told bool)) error {
	v := &supervision{settings: p.Settings(), daemon: daemon}
	var err error
	if v.plan, err = p.Plan(); err != nil {
		return err
	}
	if v.files, err = v.settings.files(daemon); err != nil {
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
	if told := ready(status); !told || v.files.log != "" || v.settings.Logger != nil {
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
		if err := v.output.open(v.files.log, v.settings.LogMaxSize); err != nil {
			return err
		}
	}
	v.output.install("master")
	v.log = v.settings.logger()
	v.manager = openManager(v.log)
	o := master.Options{
		Program: program, Args: os.Args, Stdout: os.Stdout, Stderr: os.Stderr, Daemon: v.daemon, Log: v.log,
		Ready: v.settings.StartTimeout, Graceful: v.settings.GracefulTimeout, LogFiles: v.output.descriptors,
		OnReload: v.reopenOutput, OnExit: v.settings.OnWorkerExit, OnState: v.manager.tell, Activated: v.manager.socket,
	}
	if v.supervisor, err = master.New(v.plan, o); err != nil {
		return err
	}
	if v.files.log != "" {
		go v.output.follow(v.supervisor.Notify)
	}
	return nil
}

// complete adds to a status what the supervisor does not know.
func (v *supervision) complete(s *control.Status) {
	complete(s)
	s.PidFile, s.LogFile, s.Admin = v.files.pid, v.files.log, v.admin
}
