//go:build linux

package numbers

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// What an idle connection of a client costs, in bytes of the process's memory: its Conn, its
// Client, and what the kernel's events need; options are shared or each client's own.
const (
	idleClients     = 10_000
	idleClientLimit = 600
	idleOwnLimit    = 2200
)

// init plays the process of TestMemoryPerIdleClient.
func init() {
	if os.Getenv(roleEnv) == "clients" {
		idleClientsOf("tcp://"+os.Args[1], os.Args[2] == "shared")
	}
}

func TestMemoryPerIdleClient(t *testing.T) {
	if testkit.Race {
		t.Skip("the race detector needs several times the memory")
	}
	if limit := raiseFileLimit(); limit < idleClients+200 {
		t.Skipf("the limit of open files is %d, %d connections need more", limit, idleClients)
	}
	for _, options := range []struct {
		kind  string
		limit int
	}{{"shared", idleClientLimit}, {"own", idleOwnLimit}} {
		t.Run(options.kind, func(t *testing.T) { testMemoryPerIdleClient(t, options.kind, options.limit) })
	}
}

func testMemoryPerIdleClient(t *testing.T, options string, limit int) {
	best := 0 // resident memory is counted in pages that other things use too
	for try := 0; try < memoryTries && (try == 0 || best > limit); try++ {
		server := startRole(t, "server", "tcp")
		clients := startRole(t, "clients", server.line(t), options)
		empty := clients.ask(t)
		fmt.Fprintln(clients.in, "connect")
		if got := clients.line(t); got != "open" {
			t.Fatalf("clients: %s", got)
		}
		n := (clients.ask(t) - empty) / idleClients
		clients.end(t)
		server.end(t)
		t.Logf("%d bytes per idle connection of a client", n)
		if best == 0 || n < best {
			best = n
		}
	}
	if best > limit {
		t.Errorf("%d bytes per idle connection of a client, want at most %d", best, limit)
	}
}

func idleClientsOf(address string, shared bool) {
	raiseFileLimit()
	m := &workerman.Master{Logger: workertest.DiscardLogger()}
	var open atomic.Int64
	all := make([]*workerman.Client, idleClients)
	connectTo := func(i int) {
		cl := m.NewClient(address)
		if shared && i > 0 {
			cl.ClientOptions = all[0].ClientOptions
		} else {
			cl.IdleTimeout = time.Hour
			cl.Backoff.Min = time.Second
			cl.OnConnect = func(c *workerman.Conn) { c.Send([]byte("x")) }
			cl.OnMessage = func(c *workerman.Conn, data []byte) { open.Add(1) }
			cl.OnError = func(c *workerman.Conn, err error) { panic(err) }
		}
		if err := cl.Connect(); err != nil {
			panic(err)
		}
		all[i] = cl
	}
	connectTo(0) // what the process needs once
	go m.Run(context.Background())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if in.Text() == "connect" {
			for i := range all[1:] {
				connectTo(i + 1)
				for i-int(open.Load()) > 100 {
					runtime.Gosched()
				}
			}
			for open.Load() < idleClients {
				runtime.Gosched()
			}
			if n := runtime.NumGoroutine(); n > 20 {
				panic(fmt.Sprint(n, " goroutines for ", idleClients, " connections"))
			}
			fmt.Println("open")
			continue
		}
		for open.Load() == 0 {
			runtime.Gosched()
		}
		for range 3 { // the pools need more than one collection to let go
			debug.FreeOSMemory()
		}
		fmt.Println(residentMemory())
	}
	runtime.KeepAlive(all)
	os.Exit(0)
}
