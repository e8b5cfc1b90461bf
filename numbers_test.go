//go:build linux

package workerman

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// The three numbers that can be asserted on any machine: system calls per message,
// allocations per message, bytes of memory per idle connection.

// message is 64 bytes of payload in a scheme's framing.
func message64(t *testing.T, scheme string) []byte {
	p, _ := findProtocol(scheme)
	data := bytes.Repeat([]byte("x"), 64)
	if p == nil {
		return data
	}
	m, err := p.Encode(nil, nil, data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSyscallsPerMessage(t *testing.T) {
	const conns, rounds = 64, 200
	for _, test := range []struct {
		depth int
		limit float64
	}{{1, 2.3}, {16, 0.2}} {
		t.Run(fmt.Sprintf("depth %d", test.depth), func(t *testing.T) {
			_, w := serve(t, kind{network: "tcp"}, "text", echo)
			burst := bytes.Repeat(message64(t, "text"), test.depth)
			clients := make([]net.Conn, conns)
			for i := range clients {
				clients[i] = dial(t, w)
			}
			answer := make([]byte, len(burst))
			// A round: every client has a burst in flight before the loop looks, as under
			// load; how many that would be otherwise depends on the machine's scheduling.
			round := func() {
				held, release := make(chan struct{}), make(chan struct{})
				w.Post(func() { close(held); <-release })
				<-held
				for _, c := range clients {
					c.Write(burst)
				}
				close(release)
				for _, c := range clients {
					if _, err := io.ReadFull(c, answer); err != nil || !bytes.Equal(answer, burst) {
						t.Fatalf("%q, %v", answer, err)
					}
				}
			}
			round()
			counters := w.service().loops[0].Counters()
			before := calls(w, counters)
			for range rounds {
				round()
			}
			per := float64(calls(w, counters)-before) / (conns * rounds * float64(test.depth))
			t.Logf("%.3f system calls per message", per)
			if per > test.limit {
				t.Errorf("%.3f system calls per message, want at most %v", per, test.limit)
			}
		})
	}
}

// calls sums up the counters on the loop, where they may be read.
func calls(w *Worker, c *loop.Counters) uint64 {
	sum := make(chan uint64)
	w.Post(func() { sum <- c.Waits + c.Reads + c.Writes.Load() + c.Ctls.Load() + c.Wakes.Load() })
	return <-sum
}

func TestNoAllocationsPerMessage(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const messages = 50_000
	for _, scheme := range []string{"tcp", "text", "frame"} {
		for _, depth := range []int{1, 16} {
			t.Run(fmt.Sprintf("%s/depth %d", scheme, depth), func(t *testing.T) {
				_, w := serve(t, kind{network: "tcp"}, scheme, echo)
				w.master.PoisonLent = false
				c := dial(t, w)
				burst := bytes.Repeat(message64(t, scheme), depth)
				answer := make([]byte, len(burst))
				exchange := func(n int) {
					for range n / depth {
						c.Write(burst)
						if _, err := io.ReadFull(c, answer); err != nil {
							t.Fatal(err)
						}
					}
				}
				exchange(messages / 10)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				exchange(messages)
				runtime.ReadMemStats(&after)
				per := float64(after.Mallocs-before.Mallocs) / messages
				t.Logf("%.4f allocations per message", per)
				if per > 0.01 { // the runtime's own now and then
					t.Errorf("%.4f allocations per message", per)
				}
			})
		}
	}
}

const (
	roleEnv     = "WORKERMAN_TEST_ROLE"
	idleConns   = 18_000
	idleBudget  = 400 // bytes
	memoryTries = 3
)

// TestMain plays the processes of TestMemoryPerIdleConnection.
func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "server":
		idleServer()
	case "client":
		idleClient(os.Args[1])
	default:
		os.Exit(m.Run())
	}
}

func TestMemoryPerIdleConnection(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs several times the memory")
	}
	if limit := raiseFileLimit(); limit < idleConns+200 {
		reason := fmt.Sprintf("the limit of open files is %d, %d connections need more", limit, idleConns)
		if os.Getenv("CI") == "true" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	// Resident memory is counted in pages that other things of the runtime use too: the
	// best of a few runs is what the connections need.
	best := 0
	for range memoryTries {
		n := measureIdle(t)
		t.Logf("%d bytes per idle connection with an idle deadline", n)
		if best == 0 || n < best {
			best = n
		}
	}
	if best > idleBudget {
		t.Errorf("%d bytes per idle connection, want at most %d", best, idleBudget)
	}
}

// measureIdle is the growth of a server's resident memory per idle connection.
func measureIdle(t *testing.T) int {
	server := startRole(t, "server")
	addr := server.line(t)
	empty := server.ask(t)
	client := startRole(t, "client", addr)
	if got := client.line(t); got != "open" {
		t.Fatalf("client: %s", got)
	}
	full := server.ask(t)
	client.end(t)
	server.end(t)
	return (full - empty) / idleConns
}

// role is this test binary in another part.
type role struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startRole(t *testing.T, name string, args ...string) *role {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleEnv+"="+name)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &role{cmd, in, bufio.NewScanner(out)}
}

func (r *role) line(t *testing.T) string {
	t.Helper()
	if !r.out.Scan() {
		t.Fatalf("the process ended: %v", r.cmd.Wait())
	}
	return r.out.Text()
}

// ask makes the server tell its resident memory.
func (r *role) ask(t *testing.T) int {
	t.Helper()
	fmt.Fprintln(r.in, "memory")
	n, err := strconv.Atoi(r.line(t))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (r *role) end(t *testing.T) {
	t.Helper()
	r.in.Close() // both parts end with their input
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("process: %v", err)
	}
}

func idleServer() {
	raiseFileLimit()
	w := NewWorker("tcp://127.0.0.1:0")
	w.IdleTimeout = time.Hour
	echo(w)
	defaultMaster.Logger = discardLogger()
	started := make(chan struct{})
	w.OnWorkerStart = func(w *Worker) error {
		close(started)
		return nil
	}
	go func() {
		<-started
		warmUp(w.Addr().String())
		fmt.Println(w.Addr())
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			for range 3 { // the pools need more than one collection to let go
				debug.FreeOSMemory()
			}
			fmt.Println(residentMemory())
		}
		os.Exit(0)
	}()
	RunAll()
}

// warmUp serves a few connections, so that what the process needs once, as code that is
// read from disk, is there before the first measurement.
func warmUp(addr string) {
	for range 200 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			panic(err)
		}
		c.Write([]byte("x"))
		io.ReadFull(c, make([]byte, 1))
		c.Close()
	}
}

// residentMemory is the process's resident memory in bytes.
func residentMemory() int {
	stat, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(stat))[1])
	if err != nil {
		panic(err)
	}
	return pages * os.Getpagesize()
}

// idleClient opens the connections, exchanges one message on each and holds them.
func idleClient(addr string) {
	raiseFileLimit()
	conns := make([]net.Conn, idleConns)
	answer := make([]byte, 1)
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Write([]byte("x"))
			_, err = io.ReadFull(c, answer)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		conns[i] = c
	}
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(conns)
}

// raiseFileLimit raises the limit of open files to what is allowed and returns it.
func raiseFileLimit() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	l.Cur = l.Max
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	return int(l.Cur)
}
