package command

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"golang.org/x/sys/unix"
)

// native is for tests of what does not depend on the engine.
var native = workertest.Kind{Network: "tcp"}

// said is what a program's callbacks were given, and how it ended.
type said struct {
	output, errors []string
	err            error
}

// sh runs a script to its end.
func sh(t *testing.T, on workerman.Poster, script string, options Options) said {
	t.Helper()
	var got said // the race detector watches that its callbacks are serial
	done := make(chan said, 1)
	options.OnOutput = func(data []byte) { got.output = append(got.output, string(data)) }
	options.OnErrorOutput = func(data []byte) { got.errors = append(got.errors, string(data)) }
	options.OnExit = func(err error) {
		got.err = err
		done <- got
	}
	if _, err := Start(on, exec.Command("/bin/sh", "-c", script), options); err != nil {
		t.Fatal(err)
	}
	return testkit.Receive(t, done, "OnExit of "+script)
}

func TestCommand(t *testing.T) {
	workertest.Engines(t, func(t *testing.T, k workertest.Kind) {
		_, w := workertest.Serve(t, k, "text", nil)
		left := filepath.Join(t.TempDir(), "pid")
		for _, c := range []struct {
			script         string
			lines          bool
			output, errors []string
			status         int
		}{
			{script: "exit 0"},
			{script: "exit 7", status: 7},
			{script: "cat", output: nil}, // its input is empty
			{script: "printf 'a\\nb\\r\\n\\nc'; printf oops >&2; exit 3", lines: true, output: []string{"a", "b", "", "c"}, errors: []string{"oops"}, status: 3},
			{script: "printf 'a\\nb'", output: []string{"a\nb"}},
			{script: "kill -9 $$", status: -1},
			{script: "printf a; (sleep 20 & echo $! >" + left + ")", output: []string{"a"}}, // what is left behind does not hold it up
		} {
			got := sh(t, w, c.script, Options{Lines: c.lines})
			status := 0
			var exit *exec.ExitError
			if errors.As(got.err, &exit) {
				status = exit.ExitCode()
			} else if got.err != nil {
				t.Errorf("%s: got %v, want an exit status", c.script, got.err)
			}
			if fmt.Sprintf("%q %q", got.output, got.errors) != fmt.Sprintf("%q %q", c.output, c.errors) || status != c.status {
				t.Errorf("%s: got %q, %q, status %d; want %q, %q, status %d", c.script, got.output, got.errors, status, c.output, c.errors, c.status)
			}
		}
		text, err := os.ReadFile(left)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil || !lives(pid) {
			t.Fatalf("got process id %q, %v, want that of a program that was left behind", text, err)
		}
		syscall.Kill(pid, syscall.SIGKILL)
		testkit.Eventually(t, "what was left behind is gone", func() bool { return !lives(pid) })
	})
}

func TestCommandLineTooLong(t *testing.T) {
	_, w := workertest.Serve(t, native, "text", nil)
	for script, fits := range map[string]bool{
		"echo 12345678": true, "printf '12345678\\r\\n'": true, "printf 12345678": true,
		"echo 123456789; exec cat /dev/zero": false, "printf 1234567890": false, "cat /dev/zero": false,
	} {
		got := sh(t, w, script, Options{Lines: true, MaxLine: 8})
		if fits && (got.err != nil || len(got.output) != 1 || len(got.output[0]) != 8) || !fits && (got.err != workerman.ErrTooLarge || got.output != nil) {
			t.Errorf("%s: got %q, %v; want that it fits: %v", script, got.output, got.err, fits)
		}
	}
}

func TestCommandInput(t *testing.T) {
	_, w := workertest.Serve(t, native, "text", nil)
	var got bytes.Buffer
	done := make(chan error, 1)
	cmd, err := Start(w, exec.Command("cat"), Options{
		Input:    true,
		OnOutput: func(data []byte) { got.Write(data) },
		OnExit:   func(err error) { done <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	for i := range 20 {
		data := bytes.Repeat([]byte{byte(i)}, 100_000)
		want.Write(data)
		for cmd.Send(data) == workerman.ErrBufferFull {
			testkit.Eventually(t, "the program reads", func() bool { return cmd.input.room() })
		}
		clear(data) // Send has copied it
	}
	cmd.CloseInput()
	if err := cmd.Send([]byte("x")); err != workerman.ErrClosed {
		t.Errorf("behind CloseInput: got %v, want %v", err, workerman.ErrClosed)
	}
	if err := testkit.Receive(t, done, "OnExit"); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("got %v and %d bytes, want nil and the %d bytes that were sent", err, got.Len(), want.Len())
	}
	if err := cmd.Signal(syscall.SIGTERM); err != os.ErrProcessDone {
		t.Errorf("a signal behind the end: got %v, want %v", err, os.ErrProcessDone)
	}
	cmd.Kill()

	// A program that does not read fills the buffer; what waits for it is dropped with it.
	cmd, err = Start(w, exec.Command("sleep", "3600"), Options{Input: true, OnExit: func(err error) { done <- err }})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		err = cmd.Send(make([]byte, 100_000))
	}
	if err != workerman.ErrBufferFull {
		t.Errorf("a program that does not read: got %v, want %v", err, workerman.ErrBufferFull)
	}
	cmd.Signal(syscall.SIGTERM)
	if err := testkit.Receive(t, done, "OnExit"); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("after SIGTERM: got %v, want terminated", err)
	}
	if err := cmd.Send(nil); err != workerman.ErrClosed {
		t.Errorf("behind the end: got %v, want %v", err, workerman.ErrClosed)
	}
}

func (i *input) room() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.queued < maxInput
}

// A paused command holds its program back, and what it has written is not lost.
func TestCommandPause(t *testing.T) {
	_, w := workertest.Serve(t, native, "text", nil)
	const total = 1 << 20
	started, first, done := make(chan *Command, 1), make(chan struct{}), make(chan int, 1)
	size := 0
	var cmd *Command
	w.Post(func() {
		var err error
		cmd, err = Start(w, exec.Command("head", "-c", strconv.Itoa(total), "/dev/zero"), Options{
			OnOutput: func(data []byte) {
				if size == 0 {
					cmd.Pause()
					close(first)
				}
				size += len(data)
			},
			OnExit: func(error) { done <- size },
		})
		if err != nil {
			t.Error(err)
		}
		started <- cmd
	})
	testkit.Receive(t, first, "output")
	one := testkit.Receive(t, started, "the command")
	testkit.Eventually(t, "the pipe is full", func() bool { return one.outputs[0].waiting(t) == 64<<10 })
	before := make(chan int, 1)
	w.Post(func() { before <- size })
	if n := testkit.Receive(t, before, "the size"); n > outputPiece {
		t.Errorf("got %d bytes while the command was paused, want at most %d", n, outputPiece)
	}
	one.Resume()
	if n := testkit.Receive(t, done, "OnExit"); n != total {
		t.Errorf("got %d bytes, want %d", n, total)
	}
}

// waiting is how many bytes nobody has read.
func (o *output) waiting(t *testing.T) (n int) {
	raw, err := o.ours.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	return n
}

// lives reports whether there is a process that is not a zombie.
func lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// family starts a program that has started another and tells the process ids of both.
func family(t *testing.T, on workerman.Poster, pids chan<- int, exit func(error)) {
	_, err := Start(on, exec.Command("/bin/sh", "-c", "sleep 3600 & echo $$; echo $!; wait"), Options{
		Lines: true,
		OnOutput: func(line []byte) {
			pid, _ := strconv.Atoi(string(line))
			pids <- pid
		},
		OnExit: exit,
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCommandEndsWithItsConnection(t *testing.T) {
	workertest.Engines(t, func(t *testing.T, k workertest.Kind) {
		pids := make(chan int, 2)
		_, w := workertest.Serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				family(t, c, pids, func(error) { t.Error("OnExit although the connection is gone") })
			}
		})
		c := workertest.Dial(t, w)
		c.Write([]byte("x\n"))
		parent, child := testkit.Receive(t, pids, "a process id"), testkit.Receive(t, pids, "a process id")
		if !lives(parent) || !lives(child) {
			t.Error("the programs do not run")
		}
		c.Close()
		testkit.Eventually(t, "both are gone", func() bool { return !lives(parent) && !lives(child) })
	})
}

func TestCommandEndsWithTheStop(t *testing.T) {
	workertest.Engines(t, func(t *testing.T, k workertest.Kind) {
		pids := make(chan int, 2)
		s, w := workertest.Serve(t, k, "text", nil)
		family(t, w, pids, func(error) { t.Error("OnExit although nothing serves") })
		parent, child := testkit.Receive(t, pids, "a process id"), testkit.Receive(t, pids, "a process id")
		s.Stop()
		testkit.Eventually(t, "both are gone", func() bool { return !lives(parent) && !lives(child) })
		if _, err := Start(w, exec.Command("true"), Options{}); !errors.Is(err, workerman.ErrNotRunning) {
			t.Errorf("after the stop: got %v, want %v", err, workerman.ErrNotRunning)
		}
	})
}

func TestCommandMistakes(t *testing.T) {
	_, w := workertest.Serve(t, native, "text", nil)
	_, err := Start(w, exec.Command("/nowhere/program"), Options{Input: true, OnOutput: func([]byte) {}})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "/nowhere/program") {
		t.Errorf("got %v, want that /nowhere/program does not exist", err)
	}
	busy := exec.Command("true")
	busy.Stdout = os.Stdout
	if _, err := Start(w, busy, Options{}); err == nil || !strings.Contains(err.Error(), "have to be unset") {
		t.Errorf("got %v, want which fields have to be unset", err)
	}
}

// A panic of a callback is that of a callback; the program goes on.
func TestCommandPanic(t *testing.T) {
	s, w := workertest.Serve(t, native, "text", nil)
	done := make(chan error, 1)
	lines := 0
	_, err := Start(w, exec.Command("printf", "a\nb\n"), Options{
		Lines: true,
		OnOutput: func([]byte) {
			lines++
			panic("in OnOutput")
		},
		OnExit: func(err error) { done <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := testkit.Receive(t, done, "OnExit"); err != nil || lines != 2 || len(s.Log.Lines("panic in a callback", "in OnOutput")) != 2 {
		t.Errorf("got %v after %d lines, want nil after 2 and a panic for each; the log:\n%s", err, lines, s.Log)
	}
}
