package siege

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// A process can have only so many connections open, and an address only so many ports. Many
// connections are therefore held by several processes, each with an address of its own.

// HoldVariable is in the environment of a process that is to call HoldMain.
const HoldVariable = "SIEGE_HOLD"

// perHolder is how many connections a process holds: less than an address has ports.
const perHolder = 15_000

// Hold opens n idle connections to addr from processes of the running program, which call
// HoldMain. It returns when all are there; release ends them.
func Hold(addr string, n int) (release func(), err error) {
	var ends []func()
	release = func() {
		for _, end := range ends {
			end()
		}
	}
	defer func() {
		if err != nil {
			release()
		}
	}()
	var ready []io.Reader
	for i := 0; n > 0; i++ {
		count := min(n, perHolder)
		n -= count
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d 127.0.1.%d", HoldVariable, addr, count, i+1))
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		ends = append(ends, func() { in.Close(); cmd.Wait() })
		ready = append(ready, out)
	}
	for _, out := range ready {
		if _, err := io.ReadFull(out, make([]byte, len(held))); err != nil {
			return nil, fmt.Errorf("siege: a process that holds connections: %w", err)
		}
	}
	return release, nil
}

// held is what a process says when it holds its connections.
const held = "held\n"

// HoldMain is the life of a process that holds connections, as order says, the value of
// HoldVariable. It ends with its standard input.
func HoldMain(order string) error {
	words := strings.Fields(order)
	if len(words) != 3 {
		return fmt.Errorf("siege: order %q", order)
	}
	n, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(words[2])}}
	conns := make([]net.Conn, n)
	next := make(chan int)
	failed := make(chan error, 1)
	var dialers sync.WaitGroup
	for range 32 {
		dialers.Go(func() {
			for i := range next {
				var err error
				if conns[i], err = dialer.DialContext(context.Background(), "tcp", words[0]); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	dialers.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	fmt.Print(held)
	io.Copy(io.Discard, os.Stdin)
	for _, c := range conns {
		c.(*net.TCPConn).SetLinger(0) // no port waits for late packets
		c.Close()
	}
	return nil
}
