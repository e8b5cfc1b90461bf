package loop

import (
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails the package if its tests leave a goroutine or a descriptor behind.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "16") // parallel tests here wait for limits, they do not compute
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		ln.Close() // package net opens its poller once and for ever
	}
	before := descriptors()
	code := m.Run()
	fuzzing := flag.Lookup("test.fuzz").Value.String() != ""
	if code == 0 && !fuzzing {
		code = leaks(before)
	}
	os.Exit(code)
}

func leaks(before int) int {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var found string
	for range 300 {
		if found = stray(); found == "" && descriptors() <= before {
			return 0
		}
		<-tick.C
	}
	fmt.Printf("FAIL: leak: %d descriptors before, %d after\n%s\n", before, descriptors(), found)
	return 1
}

func descriptors() int {
	list, _ := os.ReadDir("/proc/self/fd")
	return len(list)
}

// stray lists the goroutines of this module besides the test runner's.
func stray() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var found []string
	for _, g := range strings.Split(string(buf), "\n\n") {
		if strings.Contains(g, "workerman-go/workerman") && !strings.Contains(g, "testing.(*M).") && !strings.Contains(g, ".TestMain(") {
			found = append(found, g)
		}
	}
	return strings.Join(found, "\n\n")
}
