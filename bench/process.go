package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a child of the runner: a server or a client.
type process struct {
	behind *process // a server that this one is a proxy of, nil if none
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Scanner
	stderr tail
}

// startProcess starts argv bound to one CPU with GOMAXPROCS=1. The child ends
// when ctx does, when stop is called, and when the runner dies, however it
// dies: the kernel then sends it SIGKILL (that needs the thread that forked it
// to live as long as the runner, which main sees to).
func startProcess(ctx context.Context, cpu int, argv []string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, argv[0], argv[1:]...)}
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = time.Second
	p.cmd.Stderr = &p.stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdout = bufio.NewScanner(out)
	if err := onCPU(cpu, p.cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	return p, nil
}

// expect reads the child's output up to the line that starts with word, and
// returns what follows the word. Lines before it are an engine's greetings.
// Waiting is bounded by the context the child was started with.
func (p *process) expect(word string) (string, error) {
	for p.stdout.Scan() {
		if rest, ok := strings.CutPrefix(p.stdout.Text(), word); ok {
			return strings.TrimSpace(rest), nil
		}
	}
	_ = p.cmd.Wait() // until all of stderr is here; stop may call it again
	return "", fmt.Errorf("ended (%v) without printing %q: %s", p.cmd.ProcessState, word, p.stderr.String())
}

// ask sends the child a command line and waits for its answer, as expect does.
func (p *process) ask(command, answer string) (string, error) {
	if _, err := io.WriteString(p.stdin, command+"\n"); err != nil {
		return "", fmt.Errorf("send %q: %w", command, err)
	}
	return p.expect(answer)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop kills the child and waits for it. There is nothing to say about how it
// ended: it was killed, or had ended by itself and was reported by expect.
func (p *process) stop() {
	if p.behind != nil {
		p.behind.stop()
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// tail keeps the last bytes a child wrote to stderr, to be shown if it fails;
// servers that log every reset connection would otherwise drown the tables.
type tail struct {
	mu   sync.Mutex // the child writes while the runner may read
	data []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, b...)
	if over := len(t.data) - 2048; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.data))
}
