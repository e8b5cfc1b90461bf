package interop

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// hello configures the smallest server.
func hello(w *workerman.Worker) {
	w.Loops = 2
	w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(web.Text("hello")) }
}

// pipelined is a script of wrk that sends 16 requests at a time.
const pipelined = `
init = function(args)
  local all = {}
  for i = 1, 16 do all[i] = wrk.format("GET", "/" .. i) end
  requests = table.concat(all)
end
request = function() return requests end
`

func TestWrk(t *testing.T) {
	need(t, "wrk")
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "http", hello)
		for _, x := range []struct{ name, script string }{{"one at a time", ""}, {"pipelined", pipelined}} {
			t.Run(x.name, func(t *testing.T) {
				args := []string{"-t1", "-c50", "-d1s"}
				if x.script != "" {
					args = append(args, "-s", file(t, "pipeline.lua", x.script))
				}
				out := run(t, "", "wrk", append(args, "http://"+s.address()+"/")...)
				checkWrk(t, out)
			})
		}
	})
}

var wrkRequests = regexp.MustCompile(`(\d+) requests in`)

// checkWrk expects answers and no complaint in what wrk prints.
func checkWrk(t *testing.T, out string) {
	t.Helper()
	found := wrkRequests.FindStringSubmatch(out)
	if found == nil || len(found[1]) < 3 || strings.Contains(out, "Socket errors") || strings.Contains(out, "Non-2xx") {
		t.Error(out)
	}
}

func TestH2load(t *testing.T) {
	need(t, "h2load")
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "http", hello)
		const n = 20_000
		out := run(t, "", "h2load", "--h1", "-n", strconv.Itoa(n), "-c", "20", "-m", "8", "http://"+s.address()+"/")
		checkH2load(t, out, n)
		if got := s.Stats().Requests; got != n {
			t.Errorf("%d requests counted", got)
		}
	})
}

// checkH2load expects that all n requests succeeded.
func checkH2load(t *testing.T, out string, n int) {
	t.Helper()
	all := strconv.Itoa(n)
	if !strings.Contains(out, all+" succeeded, 0 failed, 0 errored, 0 timeout") || !strings.Contains(out, "status codes: "+all+" 2xx") {
		t.Error(out)
	}
}
