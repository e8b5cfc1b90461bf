//go:build linux

package numbers

import (
	"bufio"
	"context"
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

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/web"
)

const (
	roleEnv     = "WORKERMAN_TEST_ROLE"
	idleConns   = 18_000
	memoryTries = 3
)

// idleBudgets are what an idle connection may cost, in bytes of the process's memory, with
// an idle deadline and, if it is a WebSocket, pings.
var idleBudgets = []struct {
	scheme string
	limit  int
}{{"tcp", 400}, {"websocket", 1000}, {"http", 1000}}

// TestMain plays the processes of TestMemoryPerIdleConnection.
func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "server":
		idleServer(os.Args[1])
	case "client":
		idleClient(os.Args[1], os.Args[2])
	default:
		os.Exit(m.Run())
	}
}

func TestMemoryPerIdleConnection(t *testing.T) {
	if testkit.Race {
		t.Skip("the race detector needs several times the memory")
	}
	if limit := raiseFileLimit(); limit < idleConns+200 {
		reason := fmt.Sprintf("the limit of open files is %d, %d connections need more", limit, idleConns)
		if os.Getenv("CI") == "true" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	for _, budget := range idleBudgets {
		t.Run(budget.scheme, func(t *testing.T) {
			// Resident memory is counted in pages that other things of the runtime use too: the
			// best of a few runs is what the connections need.
			best := 0
			for try := 0; try < memoryTries && (try == 0 || best > budget.limit); try++ {
				n := measureIdle(t, budget.scheme)
				t.Logf("%d bytes per idle connection with an idle deadline", n)
				if best == 0 || n < best {
					best = n
				}
			}
			if best > budget.limit {
				t.Errorf("%d bytes per idle connection, want at most %d", best, budget.limit)
			}
		})
	}
}

// measureIdle is the growth of a server's resident memory per idle connection.
func measureIdle(t *testing.T, scheme string) int {
	server := startRole(t, "server", scheme)
	addr := server.line(t)
	empty := server.ask(t)
	client := startRole(t, "client", scheme, addr)
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

func idleServer(scheme string) {
	raiseFileLimit()
	m := &workerman.Master{Logger: workertest.DiscardLogger()}
	w := m.NewWorker(scheme + "://127.0.0.1:0")
	w.IdleTimeout = time.Hour
	w.PingInterval = 30 * time.Minute
	w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Send([]byte("x")) }
	echo(w)
	started := make(chan struct{})
	w.OnWorkerStart = func(w *workerman.Worker) error {
		close(started)
		return nil
	}
	go func() {
		<-started
		warmUp(scheme, w.Addr().String())
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
	if err := m.Run(context.Background()); err != nil {
		panic(err)
	}
}

// warmUp serves a few connections, so that what the process needs once, as code that is
// read from disk, is there before the first measurement.
func warmUp(scheme, addr string) {
	for range 200 {
		c, err := useOnce(scheme, addr)
		if err != nil {
			panic(err)
		}
		c.Close()
	}
}

// useOnce opens a connection and exchanges one message.
func useOnce(scheme, addr string) (net.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	send := "x"
	switch scheme {
	case "http":
		send = get("/")
	case "websocket":
		send = get("/", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==") +
			"\x81\x81\x00\x00\x00\x00x"
	}
	io.WriteString(c, send)
	for b := make([]byte, 512); b[0] != 'x'; { // what is sent back, or what it ends with
		n, err := c.Read(b)
		if err != nil {
			return nil, err
		}
		b[0] = b[n-1]
	}
	return c, nil
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
func idleClient(scheme, addr string) {
	raiseFileLimit()
	conns := make([]net.Conn, idleConns)
	for i := range conns {
		c, err := useOnce(scheme, addr)
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
