package master

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/socket"
	"github.com/workerman-go/workerman/internal/testkit"
)

// soon is how long a test waits for what should happen soon.
var soon = testkit.Patience

// planVariable is the plan of the program on the disk, which is the binary of these tests,
// or "hang FILE" for one that does not tell it and writes its pid there. conductVariable is what
// processes do that are started from now on.
const (
	planVariable    = "MASTER_TEST_PLAN"
	conductVariable = "MASTER_TEST_CONDUCT"
)

// TestMain is the program of the supervisors under test, too.
func TestMain(m *testing.M) {
	switch os.Getenv(RoleVariable) {
	case RoleDescribe:
		if file, hangs := strings.CutPrefix(os.Getenv(planVariable), "hang "); hangs {
			os.WriteFile(file, fmt.Append(nil, os.Getpid()), 0o600)
			time.Sleep(time.Hour)
		}
		f := os.NewFile(LinkDescriptor, "answer")
		f.WriteString(os.Getenv(planVariable))
		f.Close()
		os.Exit(0)
	case RoleWorker:
		serve(os.Getenv(conductVariable))
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // of processes
	os.Exit(testkit.Main(m))
}

// serve is a worker process. conduct is "" for one that does what it is told, "die" for one
// that cannot start, "late FILE" for one that serves as soon as FILE exists, "listen ADDR" for
// one that asks for a socket, or "KEY: CONDUCT" for that of one worker.
func serve(conduct string) {
	link, err := control.OpenLink(os.NewFile(LinkDescriptor, "link"))
	if err != nil {
		os.Exit(9)
	}
	start, listeners, err := link.Receive()
	if err != nil || len(listeners) < start.Sockets {
		os.Exit(9)
	}
	if key, only, ok := strings.Cut(conduct, ": "); ok {
		conduct = ""
		if key == start.Key {
			conduct = only
		}
	}
	word, rest, _ := strings.Cut(conduct, " ")
	switch word {
	case "die":
		os.Exit(1)
	case "late":
		go func() {
			for _, err := os.Stat(rest); errors.Is(err, fs.ErrNotExist); _, err = os.Stat(rest) {
				time.Sleep(time.Millisecond) // between looks at the disk
			}
			link.Send(control.Message{Kind: control.Up})
		}()
	case "listen":
		link.Send(control.Message{Kind: control.Listen, ID: 1, Key: "inner", Network: "tcp", Address: rest, Sockets: 1})
	default:
		link.Send(control.Message{Kind: control.Up})
	}
	for {
		m, fds, err := link.Receive()
		if err != nil {
			os.Exit(0)
		}
		switch m.Kind {
		case control.Listener:
			link.Send(control.Message{Kind: control.Up})
		case control.Ask:
			f := os.NewFile(uintptr(fds[0]), "answer")
			json.NewEncoder(f).Encode(control.Figures{})
			f.Close()
			continue
		case control.Give:
			link.Send(control.Message{Kind: control.Given})
		case control.Drain, control.Stop:
			control.CloseAll(listeners)
			listeners = nil
			if !m.Graceful {
				os.Exit(0)
			}
		}
		control.CloseAll(fds)
	}
}

// service is a supervisor under test.
type service struct {
	*Supervisor
	t    testing.TB
	exit chan Exit
	log  testkit.Log
}

// newService makes a supervisor for a plan.
func newService(t testing.TB, workers ...Worker) *service {
	t.Helper()
	v := &service{t: t, exit: make(chan Exit, 1000)}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	v.Supervisor, err = New(planOf(workers), Options{
		Program: program, Args: []string{"program"}, Ready: soon, Log: slog.New(slog.NewTextHandler(&v.log, nil)),
		OnExit: func(e Exit) { v.exit <- e },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// start starts a service, which stops at the end of the test.
func start(t testing.TB, workers ...Worker) *service {
	t.Helper()
	v := newService(t, workers...)
	if err := v.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		v.within("stop", func() { v.Stop(false, "test", nil) })
		if t.Failed() {
			t.Logf("log:\n%s", v.log.String())
		}
	})
	return v
}

// planOf is a plan with short times.
func planOf(workers []Worker) Plan {
	return Plan{Workers: workers, Stop: 100 * time.Millisecond, Drain: 100 * time.Millisecond}
}

// worker is one that listens on a port of the system's choice.
func worker(key string, count int) Worker {
	return Worker{
		Key: key, Name: key, Listen: "tcp://127.0.0.1:0", Socket: &socket.Address{Network: "tcp", Host: "127.0.0.1"},
		Count: count, Loops: 1, Reloadable: true,
	}
}

// deploy changes the plan of the program on the disk, and what its processes do.
func (v *service) deploy(conduct string, workers ...Worker) {
	v.t.Helper()
	plan := planOf(workers)
	b, err := json.Marshal(Description{Plan: &plan})
	if err != nil {
		v.t.Fatal(err)
	}
	os.Setenv(planVariable, string(b))
	os.Setenv(conductVariable, conduct)
	v.t.Cleanup(func() { os.Unsetenv(planVariable); os.Unsetenv(conductVariable) })
}

// within fails the test if fn takes as long as nobody would wait.
func (v *service) within(what string, fn func()) {
	v.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(soon):
		v.t.Fatalf("%s takes more than %v", what, soon)
	}
}

// until waits for what should happen; fn runs with the supervisor's lock.
func (v *service) until(what string, fn func() bool) {
	v.t.Helper()
	if !testkit.Within(soon, func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return fn()
	}) {
		v.t.Fatalf("not within %v: %s\n%s", soon, what, v.log.String())
	}
}

// slot returns the processes of a slot.
func (v *service) slot(key string, id int) []*process {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.group(key).slots[id].processes)
}
