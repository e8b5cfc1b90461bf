//go:build linux

package operation

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/operation/siege"
)

// Commands answer about very many connections, and forget none. In full size the times are
// printed.
func TestCommandsAmongVeryManyConnections(t *testing.T) {
	in := install(t, "1")
	in.daemon("-count", fmt.Sprint(sized(2, 8)), "-reuseport", "-drain", "5s")
	n := sized(2000, 100_000)
	release, err := siege.Hold(in.address("orders"), n)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	in.until("all connections are there", func() bool { return in.status().Connected == int64(n) })
	for _, args := range []string{"status", "status --json", "connections", "connections --json --limit 10", "connections --limit 0", "connections --json --limit 0"} {
		fastest := time.Hour
		var r result
		for range sized(1, 5) {
			began := time.Now()
			r = in.must(strings.Fields(args)...)
			fastest = min(fastest, time.Since(began))
		}
		table("%-32s %7.1f ms  %9d bytes  of %d connections", args, fastest.Seconds()*1000, len(r.out), n)
		switch args {
		case "connections --limit 0":
			if got := strings.Count(r.out, "127.0.1."); got != n {
				t.Errorf("%s has %d connections instead of %d", args, got, n)
			}
		case "connections --json --limit 0":
			var list []control.Connection
			if err := json.Unmarshal([]byte(r.out), &list); err != nil || len(list) != n {
				t.Errorf("%s has %d connections instead of %d: %v", args, len(list), n, err)
			}
		}
	}
	in.deploy("2", "")
	began := time.Now()
	in.must("reload")
	took := time.Since(began)
	s := in.status()
	if s.Reload.Moved != int64(n) || s.Connected != int64(n) {
		t.Errorf("of %d connections %d moved and %d are there", n, s.Reload.Moved, s.Connected)
	}
	table("%-32s %7.1f ms  and %d connections moved", "reload", took.Seconds()*1000, s.Reload.Moved)
}
