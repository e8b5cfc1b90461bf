package master

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/control"
)

// Environment of processes that the master starts. Package serve reads it and takes it
// away before the program can see or pass it on.
const (
	RoleVariable = "WORKERMAN_ROLE" // RoleWorker, RoleDescribe or RoleDaemon
	NameVariable = "WORKERMAN_NAME" // what os.Args[0] should be

	RoleWorker   = "worker"
	RoleDescribe = "describe"
	RoleDaemon   = "daemon"
)

// Descriptors of such processes.
const (
	LinkDescriptor  = 3 // the control.Link; of RoleDescribe where the Plan is written; of RoleDaemon where the start is reported
	CrashDescriptor = 4 // where the runtime writes how the process crashed
)

// process is a running worker process.
type process struct {
	slot     *slot
	worker   string // its name; that of slot.group may change
	listen   string // address as it is shown
	pid      int
	os       *os.Process
	link     *control.Link // to receive; what is sent goes through out
	out      outbox
	crash    *crash
	started  time.Time
	ready    chan struct{} // closed when it serves
	given    chan struct{} // closed when its hand-over is over
	linkDone chan struct{} // closed when all its messages have been served
	gone     chan struct{} // closed when it has ended
	failed   string        // why it could not start, in its own words
	cause    string        // why it ended; valid when gone is closed

	moved, left atomic.Int64 // connections handed over, and not

	// The rest is guarded by Supervisor.mu.
	state     string          // one of those in package control
	readyAt   time.Time       // zero until then
	extras    map[string]bool // sockets that it has asked for
	endReason string          // why the master ends it, "" if it does not
	killed    string          // why the master killed it
	replace   bool            // a successor was asked for
	awaited   bool            // who has started it waits for it, and sees to the slot if it does not start
}

// image is the program as it was when it was opened: what is on the disk may change.
type image struct {
	file *os.File
	path string // where it was found
}

// highDescriptor is above all that a new process gets, so that none of these takes its place.
const highDescriptor = 100

// openImage opens the program file at path.
func openImage(path string) (*image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, highDescriptor)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &image{os.NewFile(uintptr(fd), path), path}, nil
}

// exec is the path by which the image is run.
func (i *image) exec() string { return "/proc/self/fd/" + strconv.Itoa(int(i.file.Fd())) }

func (i *image) close() { i.file.Close() }

// ofManager are variables that speak of the master only.
var ofManager = []string{"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WORKERMAN_PID_FILE"}

// environment is that of processes.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(ofManager, name)
	})
}

// title is how processes are called in the lists of ps and top.
func title(parts ...string) string {
	return "workerman: " + strings.Join(parts, " ")
}

// launch starts the image in a role. files are its descriptors from 3 on.
func (s *Supervisor) launch(img *image, role, called string, cred *syscall.Credential, out, errOut *os.File, files ...*os.File) (*os.Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	if out == nil {
		out = null
	}
	if errOut == nil {
		errOut = null
	}
	attr := &os.ProcAttr{
		Env:   append(environment(), RoleVariable+"="+role, NameVariable+"="+s.options.Args[0]),
		Files: append([]*os.File{null, out, errOut}, files...),
		// A group of its own keeps Ctrl+C in the terminal from the processes: the master
		// ends them in good order.
		Sys: &syscall.SysProcAttr{Setpgid: true, Credential: cred},
	}
	args := append([]string{called}, s.options.Args[1:]...)
	return os.StartProcess(img.exec(), args, attr)
}

// spawn starts a process of an image for a slot. It runs with s.mu held.
func (s *Supervisor) spawn(sl *slot, img *image) (*process, error) {
	g := sl.group
	cred, err := runAs(g.plan.User)
	if err != nil {
		return nil, err
	}
	link, far, err := control.NewLinks()
	if err != nil {
		return nil, err
	}
	defer far.Close()
	r, w, err := os.Pipe()
	if err != nil {
		link.Close()
		return nil, err
	}
	defer w.Close()
	called := title("worker", g.plan.Name, strconv.Itoa(sl.id), g.plan.Listen)
	child, err := s.launch(img, RoleWorker, called, cred, s.options.Stdout, s.options.Stderr, far, w)
	if err != nil {
		link.Close()
		r.Close()
		return nil, fmt.Errorf("cannot start a process of %s: %w", img.path, err)
	}
	p := &process{
		slot: sl, worker: g.plan.Name, listen: g.plan.Listen, pid: child.Pid, os: child, link: link, crash: readCrash(r), started: time.Now(), state: control.Starting,
		ready: make(chan struct{}), given: make(chan struct{}), gone: make(chan struct{}), linkDone: make(chan struct{}),
	}
	p.out.link, p.out.failed = link, func(m control.Message, err error) {
		s.log.Error("message to a process", "pid", p.pid, "kind", m.Kind, "error", err)
		if m.Kind == control.Start {
			s.mu.Lock()
			s.kill(p, "its sockets cannot be passed: "+err.Error())
			s.mu.Unlock()
		}
	}
	sl.processes = append(sl.processes, p)
	s.living.Add(1)
	base := s.incarnations << 32
	s.incarnations++
	fds, logs := g.socketsOf(sl.id), s.logFiles()
	defer control.CloseAll(logs)
	err = p.out.send(control.Message{
		Kind: control.Start, Version: control.Protocol, Key: g.plan.Key, Slot: sl.id, Base: base, Secret: s.secret,
		Sockets: len(fds), Daemon: s.options.Daemon,
	}, append(fds, logs...)...)
	if err != nil {
		s.kill(p, err.Error())
	}
	go s.listenTo(p)
	go s.wait(p)
	return p, nil
}

// wait waits for the end of a process.
func (s *Supervisor) wait(p *process) {
	state, err := p.os.Wait()
	late, cancel := context.WithTimeout(context.Background(), afterEnd)
	for _, said := range []chan struct{}{p.linkDone, p.crash.done} { // grandchildren may hold the pipe open
		select {
		case <-said:
		case <-late.Done():
		}
	}
	cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		p.cause = err.Error()
	} else {
		p.cause = cause(state, p.crash.line(), p.killed)
	}
	s.ended(p, state)
	close(p.gone)
	p.out.close() // not before: who is told that it is closed can see why
	p.link.Close()
	s.living.Done()
}

// afterEnd is how long what a process said is waited for when it has ended.
const afterEnd = 100 * time.Millisecond

// listenTo serves the messages of a process.
func (s *Supervisor) listenTo(p *process) {
	defer close(p.linkDone)
	for {
		m, fds, err := p.link.Receive()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				s.log.Debug("link to a process", "pid", p.pid, "error", err)
			}
			return
		}
		control.CloseAll(fds) // processes send none
		s.heard(p, m)
	}
}

// heard deals with a message of a process.
func (s *Supervisor) heard(p *process, m control.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m.Kind {
	case control.Hello:
		if m.Version != control.Protocol {
			p.failed = fmt.Sprintf("it speaks version %d of the control protocol, the master version %d: use restart", m.Version, control.Protocol)
			s.kill(p, "another version")
		}
	case control.Up:
		if !p.readyAt.IsZero() {
			return
		}
		p.readyAt = time.Now()
		if p.state == control.Starting { // rather than told to end by now
			p.state = control.Ready
			p.slot.group.inside = m.Inside
		}
		close(p.ready)
	case control.Failed:
		p.failed = m.Error
	case control.Listen:
		s.listenFor(p, m)
	case control.Moving:
		p.moved.Store(int64(m.Moved))
		p.left.Store(int64(m.Left))
	case control.Leaving:
		p.left.Store(int64(m.Left))
	case control.Given:
		p.moved.Store(int64(m.Moved))
		p.left.Store(int64(m.Left))
		closeOnce(p.given)
	case control.Replace:
		if !p.replace && p.state == control.Ready && s.state == Running {
			p.replace = true
			go s.replaceFor(p, m.Reason)
		}
	case control.ReloadAll:
		go s.Reload(m.Graceful, nil)
	}
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// listenFor opens a socket that a program asks for after its start.
func (s *Supervisor) listenFor(p *process, m control.Message) {
	answer := control.Message{Kind: control.Listener, ID: m.ID}
	fds, err := p.slot.group.extra(s, p, m)
	if err != nil {
		answer.Error = err.Error()
	}
	p.out.send(answer, fds...)
}

// kill ends a process at once.
func (s *Supervisor) kill(p *process, why string) {
	p.killed = why
	p.os.Kill()
}
