package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// runLimit is what a run may take beyond the load itself: start, connect, with
// handshakes of TLS if need be, and stop.
const runLimit = 2 * time.Minute

// runner starts the servers and clients.
type runner struct {
	self      string // this program, which is also the Go servers and the client
	c         string // the compiled C server
	nginx     string // the installed nginx
	haproxy   string // the installed HAProxy
	dir       string // for files of the run
	cert, key string // files, for TLS
	cpus      cpuPair
	engines   []string
	warmup    time.Duration
	measure   time.Duration
}

// sample is one engine's run in one round.
type sample struct {
	Engine string `json:"engine"`
	Round  int    `json:"round"`
	Error  string `json:"error,omitempty"`
	Allocs int64  `json:"server_allocs"` // objects on the heap, of servers in Go
	clientResult
}

// rowResult is everything measured for a row.
type rowResult struct {
	Row     row      `json:"row"`
	Samples []sample `json:"samples"`
}

// runRow runs every engine once in each round, one after the other, so that
// whatever else the machine does in that time meets all of them alike. The
// order turns by one from round to round, so that none always follows the same.
func (r *runner) runRow(ctx context.Context, w row, rounds int) rowResult {
	res := rowResult{Row: w}
	engines := w.engines(r.engines)
	for round := range rounds {
		for i := range engines {
			if ctx.Err() != nil {
				return res
			}
			engine := engines[(i+round)%len(engines)]
			s := sample{Engine: engine, Round: round}
			err := r.runOnce(ctx, w, &s)
			if ctx.Err() != nil {
				return res // interrupted: says nothing about the engine
			}
			if err != nil {
				s.Error = err.Error()
			}
			res.Samples = append(res.Samples, s)
		}
	}
	return res
}

// runOnce starts a fresh server and a fresh client and fills in what the client
// measured.
func (r *runner) runOnce(ctx context.Context, w row, s *sample) error {
	ctx, cancel := context.WithTimeout(ctx, r.warmup+r.measure+runLimit)
	defer cancel()
	server, addr, err := r.startServer(ctx, s.Engine, w.load, w.netBuffer(), 0)
	if err != nil {
		return err
	}
	defer server.stop()
	client, err := startProcess(ctx, r.cpus.client, append(r.clientArgs("client", s.Engine, w.load, addr, w.Conns),
		"-pid", strconv.Itoa(server.pid()), "-depth", strconv.Itoa(w.Depth),
		"-warmup", r.warmup.String(), "-measure", r.measure.String()))
	if err != nil {
		return err
	}
	defer client.stop()
	if _, err := client.expect("measuring"); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	before, err := readAllocations(server, s.Engine)
	if err != nil {
		return err
	}
	line, err := client.ask("measure", "result ")
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	after, err := readAllocations(server, s.Engine)
	if err != nil {
		return err
	}
	s.Allocs = after - before
	if err := json.Unmarshal([]byte(line), &s.clientResult); err != nil {
		return fmt.Errorf("client printed %q: %w", line, err)
	}
	if s.Messages == 0 || s.CPU == 0 {
		return fmt.Errorf("the server was not at work in the measured phase: %d messages, %d ns", s.Messages, s.CPU)
	}
	return nil
}

// readAllocations asks a server for its count. It is asked when the client has
// said that the measured part begins or ends, so the count is some milliseconds off,
// but not of a broadcast, which waits meanwhile.
func readAllocations(server *process, engine string) (int64, error) {
	if !isGo(engine) {
		return 0, nil
	}
	count, err := server.ask("allocations", "allocations ")
	if err != nil {
		return 0, fmt.Errorf("server: %w", err)
	}
	return strconv.ParseInt(count, 10, 64)
}

// startServer starts an engine's server and returns its address.
func (r *runner) startServer(ctx context.Context, engine string, l load, buffer int, idle time.Duration) (*process, string, error) {
	if l.proxy() {
		return r.startProxy(ctx, engine, l)
	}
	if engine == "nginx" {
		return r.startNginx(ctx, l)
	}
	argv := []string{r.c, l.Network}
	if engine != "c" {
		argv = append([]string{r.self, "server", "-engine", engine, "-buffer", strconv.Itoa(buffer),
			"-idle", idle.String(), "-cert", r.cert, "-key", r.key}, l.args()...)
	}
	return listening(startProcess(ctx, r.cpus.server, argv))
}

// listening waits until a server says where it listens.
func listening(p *process, err error) (*process, string, error) {
	if err != nil {
		return nil, "", err
	}
	addr, err := p.expect("listening ")
	if err != nil {
		p.stop()
		return nil, "", fmt.Errorf("server: %w", err)
	}
	return p, addr, nil
}

func (r *runner) clientArgs(role, engine string, l load, addr string, conns int) []string {
	return append([]string{r.self, role, "-addr", addr, "-cert", r.cert, "-cipher", cipher(engine),
		"-conns", strconv.Itoa(conns)}, l.args()...)
}

// progress prints to stderr, so that stdout is the report alone.
func progress(format string, args ...any) {
	_, _ = io.WriteString(os.Stderr, strings.TrimRight(fmt.Sprintf(format, args...), "\n")+"\n")
}
