package workerman

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/dialer"
	"github.com/workerman-go/workerman/internal/loop"
	serving "github.com/workerman-go/workerman/internal/serve"
	"github.com/workerman-go/workerman/internal/tlsfiles"
)

// Master holds the settings of a service and its workers. Package functions use a
// default Master, as net/http does with its ServeMux; more of them are for tests and for
// programs that embed several services. Set its fields before Run or RunAll. RunAll's master
// process keeps those that concern it (files, Admin, StartTimeout, GracefulTimeout,
// OnWorkerExit) until it ends; a reload renews the others.
type Master struct {
	// Logger gets everything that is worth a line. Default slog.Default().
	Logger *slog.Logger
	// StopTimeout is how long a stop waits for connections to take what was sent before
	// they are cut. Default 2 s.
	StopTimeout time.Duration
	// PidFile is the file with the number of the master process; the socket for commands lies
	// beside it, with the end .sock. One program file runs once for each. Default: PROGRAM.pid
	// beside the program, or where that is not writable in the user's folder for such files:
	// $XDG_RUNTIME_DIR, /run for root, else one in the folder for temporary files. The environment
	// variable WORKERMAN_PID_FILE changes the default.
	PidFile string
	// LogFile gets what the service logs, besides the terminal. Default: as PidFile with the
	// end .log when the program runs as a daemon, else none.
	LogFile string
	// LogMaxSize is the size in bytes at which LogFile is renamed to LogFile.1 and a new one
	// begun; five old ones are kept. Default 10 MiB.
	LogMaxSize int64
	// StdoutFile gets what a daemon and its processes write to their standard output and
	// error. Default /dev/null.
	StdoutFile string
	// Admin is the address of pages about the service, as "127.0.0.1:6060" or
	// "unix:/run/app-admin.sock": a dashboard, metrics, health, profiles. Whoever can connect
	// can see them. Default none.
	Admin string
	// StartTimeout is how long a process may take until its worker serves. Default 30 s.
	StartTimeout time.Duration
	// GracefulTimeout is how long a graceful stop or reload waits for connections to end by
	// themselves. Default 10 min.
	GracefulTimeout time.Duration
	// OneProcess makes RunAll serve all workers in the calling process, as Run does, without a
	// master and without commands: for debuggers. The environment variable
	// WORKERMAN_ONE_PROCESS=1 does the same. Other systems than Linux always do so.
	OneProcess bool
	// OnWorkerExit is called in the master process after the end of a worker process, on a
	// goroutine of its own. The variables there are those of the master, which serves nothing.
	OnWorkerExit func(WorkerExit)
	// DrainTimeout is how long a replaced process may go on for connections that could not be
	// handed over; they are closed one after the other during that time. Default 30 s.
	DrainTimeout time.Duration
	// SlowCallback is how long a callback may hold its loop before it is counted and its
	// place logged, once for each place. Default 100 ms; below 0 never.
	SlowCallback time.Duration
	// Portable serves with goroutines over package net instead of the system's fastest
	// engine. The environment variable WORKERMAN_ENGINE=portable does the same.
	Portable bool
	// PoisonLent overwrites data and requests when the callback that they were lent to has
	// returned, to catch who keeps them. For tests.
	PoisonLent bool
	// ExitOnPanic ends the process after a panic in a callback or timer, as Workerman
	// does; another takes its place. Run returns the *PanicError.
	ExitOnPanic bool

	// Of a process under a master only.
	inherited socketSource // nil: sockets are opened here
	slot      int          // see Worker.ID
	reload    func() error // asks the master for a reload

	nextID  atomic.Uint64
	tickets tlsfiles.Secret  // the default of TLS.TicketSecret
	clock   func() time.Time // nil: time.Now; of tests

	resolver dialer.Resolver
	outgoing atomic.Int64 // sockets of clients

	run atomic.Pointer[run] // nil: it does not run

	mu      sync.Mutex // guards what follows
	workers []*Worker
	pending []*Timer           // for the next start
	before  []func(*loop.Loop) // what clients want to do when the first loop runs
}

// Defaults of Master.
const (
	DefaultStopTimeout  = 2 * time.Second
	DefaultDrainTimeout = 30 * time.Second
	DefaultSlowCallback = 100 * time.Millisecond
)

var defaultMaster = new(Master)

// DefaultMaster returns the Master of the package functions, to change its settings.
func DefaultMaster() *Master { return defaultMaster }

// Run serves all workers of the default Master in this process until ctx ends or StopAll
// is called, and returns nil after a stop in good order. An error of the start names the
// worker (*StartError); nothing serves then.
func Run(ctx context.Context) error { return defaultMaster.Run(ctx) }

// RunAll is what main ends with: it is the program's command line.
//
// PROGRAM, or PROGRAM start, makes the process the master of the default Master's workers:
// it starts Count processes for each and replaces those that die, until SIGINT, SIGTERM or
// the command stop. The processes run main, too, up to RunAll, so what comes before it
// should be quick and have no lasting effect: timers and clients made there are those of each
// process. PROGRAM help lists the other commands. The command's options follow it directly,
// then come the program's own flags; package flag sees only these.
//
// RunAll returns after a stop in good order, in the master and in each process. After any
// other command it does not return but exits: what main does behind it is for services. Exit
// codes are 0 done, 1 failed, 2 wrong usage, 3 not running; where it fails it prints why.
//
// On other systems than Linux, and with Master.OneProcess, it serves all workers in the
// calling process, until SIGINT, SIGTERM or SIGHUP.
func RunAll() {
	if code := serving.RunAll(masterProgram{defaultMaster}); code != 0 {
		os.Exit(code)
	}
}

// Reload asks the master for a reload, as the command reload does, from any goroutine of a
// process that RunAll has started. It returns at once. ErrNotRunning means that there is no
// master, as under Run and on other systems than Linux.
func Reload() error {
	if defaultMaster.reload == nil {
		return ErrNotRunning
	}
	return defaultMaster.reload()
}

// WorkerExit is the end of a process.
type WorkerExit struct {
	Worker string // name
	ID     int    // see Worker.ID
	PID    int
	Cause  string // in words, as "exit code 2" or "panic: runtime error: index out of range"
	Code   int    // exit code, -1 after a signal
	Signal syscall.Signal
}

// init runs before main and package flag look at the arguments and the environment.
func init() { serving.TakeArguments() }

// Args is os.Args as the program was started, with the command that RunAll is to run and its
// options. os.Args itself, and so package flag, has them no more. A program that has
// commands of its own and does without RunAll gets them back by os.Args = workerman.Args().
func Args() []string { return serving.Args() }

// StopAll ends what the default Master serves in this process, in good order. It returns at
// once; Run returns when everything has stopped. A process of RunAll ends, and is replaced;
// to stop the service send SIGTERM to os.Getppid(). Before the start, and in the process that
// is the master, it does nothing.
func StopAll() { defaultMaster.StopAll() }

// StopAll is the function StopAll for this master.
func (m *Master) StopAll() { m.requestStop(nil) }

// Run is the function Run for this master. A master may run again after it has stopped.
func (m *Master) Run(ctx context.Context) error {
	workers := m.workersNow()
	return m.serve(ctx, workers, func(context.Context) { serving.Announce(m.Logger, startedRows(workers)) })
}

func (m *Master) now() time.Time {
	if m.clock != nil {
		return m.clock()
	}
	return time.Now()
}

// guard runs a user's function that belongs to no worker.
func (m *Master) guard(fn func()) {
	defer func() {
		if v := recover(); v != nil {
			m.reportPanic(m.logger(), "", newPanicError(v))
		}
	}()
	fn()
}

func (m *Master) reportPanic(log *slog.Logger, peer string, err *PanicError) {
	log.Error("panic in a callback", "peer", peer, "panic", fmt.Sprint(err.Value), "stack", string(err.Stack))
	if m.ExitOnPanic {
		m.requestStop(err)
	}
}
