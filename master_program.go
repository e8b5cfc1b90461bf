package workerman

import (
	"context"
	"strings"
	"syscall"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
	serving "github.com/workerman-go/workerman/internal/serve"
)

// masterProgram is a Master as the command line sees it.
type masterProgram struct{ m *Master }

var _ serving.Program = masterProgram{}

func (p masterProgram) Run(ctx context.Context) error { return p.m.Run(ctx) }

func (p masterProgram) Plan() (master.Plan, error) { return p.m.plan() }

func (p masterProgram) Settings() serving.Settings {
	m := p.m
	s := serving.Settings{
		Logger: m.Logger, PidFile: m.PidFile, LogFile: m.LogFile, LogMaxSize: m.LogMaxSize, StdoutFile: m.StdoutFile, Admin: m.Admin,
		StartTimeout: m.StartTimeout, StopTimeout: m.StopTimeout, GracefulTimeout: m.GracefulTimeout, DrainTimeout: m.drainTimeout(),
		OneProcess: m.OneProcess,
	}
	for _, w := range m.workersNow() {
		s.MaxConnections = max(s.MaxConnections, w.MaxConnections)
	}
	if fn := m.OnWorkerExit; fn != nil {
		s.OnWorkerExit = func(e master.Exit) {
			m.guard(func() {
				fn(WorkerExit{Worker: e.Worker, ID: e.Slot, PID: e.PID, Cause: e.Cause, Code: e.Code, Signal: syscall.Signal(e.Signal)})
			})
		}
	}
	return s
}

// startedRows say for the announcement what workers serve in this process.
func startedRows(workers []*Worker) []control.Worker {
	list := make([]control.Worker, len(workers))
	for i, w := range workers {
		s := w.service()
		list[i] = control.Worker{Name: w.name(), Listen: w.listenText(), Transport: s.transport(), Count: 1, Loops: len(s.loops)}
	}
	return list
}

// listenText is the address with the port that is really open.
func (w *Worker) listenText() string {
	s := w.service()
	if !s.listens {
		return "none"
	}
	scheme, _, _ := strings.Cut(w.address, "://")
	if a := s.boundAddr(); a != nil {
		return scheme + "://" + a.String()
	}
	return w.address
}
