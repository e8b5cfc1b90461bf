//go:build linux

package numbers

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// The numbers of encrypted connections that can be asserted on any machine.

const (
	secureIdleConns = 5_000
	// secureIdleBudget is what an idle connection may cost, in bytes of the process's
	// memory; crypto/tls needs nearly all of it.
	secureIdleBudget = 8 << 10
)

// init plays the processes of TestMemoryPerIdleTLSConnection.
func init() {
	switch os.Getenv(roleEnv) {
	case "tls-server":
		secureIdleServer(os.Args[1], os.Args[2])
	case "tls-client":
		secureIdleClient(os.Args[1])
	}
}

func TestMemoryPerIdleTLSConnection(t *testing.T) {
	if testkit.Race {
		t.Skip("the race detector needs several times the memory")
	}
	if limit := raiseFileLimit(); limit < secureIdleConns+200 {
		t.Skipf("the limit of open files is %d, %d connections need more", limit, secureIdleConns)
	}
	f := workertest.Files(t, testkit.NewAuthority("authority"), "a.test")
	best := 0 // resident memory is counted in pages that other things use too
	for try := 0; try < memoryTries && (try == 0 || best > secureIdleBudget); try++ {
		n := measureSecureIdle(t, f)
		t.Logf("%d bytes per idle connection", n)
		if best == 0 || n < best {
			best = n
		}
	}
	if best > secureIdleBudget {
		t.Errorf("%d bytes per idle connection, want at most %d", best, secureIdleBudget)
	}
}

// measureSecureIdle is the growth of a server's resident memory per idle connection.
func measureSecureIdle(t *testing.T, f workerman.CertificateFiles) int {
	server := startRole(t, "tls-server", f.CertFile, f.KeyFile)
	addr := server.line(t)
	empty := server.ask(t)
	client := startRole(t, "tls-client", addr)
	if got := client.line(t); got != "open" {
		t.Fatalf("client: %s", got)
	}
	n := (server.ask(t) - empty) / secureIdleConns
	client.end(t)
	server.end(t)
	return n
}

func secureIdleServer(cert, key string) {
	raiseFileLimit()
	m := &workerman.Master{Logger: workertest.DiscardLogger()}
	w := m.NewWorker("ssl://127.0.0.1:0")
	w.TLS.CertFile, w.TLS.KeyFile = cert, key
	w.IdleTimeout = time.Hour
	echo(w)
	w.OnWorkerStart = func(w *workerman.Worker) error {
		go func() {
			for range 200 { // what the process needs once is not counted
				c, err := secureOnce(w.Addr().String())
				if err != nil {
					panic(err)
				}
				c.Close()
			}
			fmt.Println(w.Addr())
			for in := bufio.NewScanner(os.Stdin); in.Scan(); {
				for range 3 { // the pools need more than one collection to let go
					debug.FreeOSMemory()
				}
				fmt.Println(residentMemory())
			}
			os.Exit(0)
		}()
		return nil
	}
	if err := m.Run(context.Background()); err != nil {
		panic(err)
	}
}

// secureOnce opens a connection and exchanges one message.
func secureOnce(addr string) (net.Conn, error) {
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	if _, err = c.Write([]byte("x")); err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
	}
	return c, err
}

func secureIdleClient(addr string) {
	raiseFileLimit()
	conns := make([]net.Conn, secureIdleConns)
	var all sync.WaitGroup
	const dialers = 8
	for d := range dialers {
		all.Go(func() {
			for i := d; i < len(conns); i += dialers {
				c, err := secureOnce(addr)
				if err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				conns[i] = c
			}
		})
	}
	all.Wait()
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(conns)
	os.Exit(0)
}
