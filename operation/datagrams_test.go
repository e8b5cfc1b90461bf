//go:build linux

package operation

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// No datagram is lost at a reload, although both processes read from the socket for a while.
func TestReloadsOfUDPWithSteadyPeers(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-listen", "udp://127.0.0.1:0", "-count", "2")
	addr := in.address("orders")
	over := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		c, err := net.Dial("udp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		clients.Go(func() {
			answer := make([]byte, 100)
			for i := 0; ; i++ {
				select {
				case <-over:
					return
				default:
				}
				question := fmt.Sprint("question ", i)
				c.SetDeadline(time.Now().Add(patience))
				c.Write([]byte(question))
				if n, err := c.Read(answer); err != nil || string(answer[:n]) != question {
					t.Errorf("%s: answer %q, %v", question, answer[:n], err)
					return
				}
			}
		})
	}
	in.deploy("2", "")
	for range sized(5, 100) {
		in.must("reload")
	}
	close(over)
	clients.Wait()
}
