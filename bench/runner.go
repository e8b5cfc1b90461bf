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

// allEngines in the order of the report: the floor, this framework, the others.
var allEngines = []string{"c", "workerman", "gnet", "nbio", "evio", "net"}

// runLimit is what a run may take beyond the load itself: start, connect, stop.
const runLimit = 30 * time.Second

// runner starts the servers and clients.
type runner struct {
	self    string // this program, which is also the Go servers and the client
	c       string // the compiled C server
	cpus    cpuPair
	engines []string
	warmup  time.Duration
	measure time.Duration
}

// sample is one engine's run in one round.
type sample struct {
	Engine string `json:"engine"`
	Round  int    `json:"round"`
	Error  string `json:"error,omitempty"`
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
	for round := range rounds {
		for i := range r.engines {
			if ctx.Err() != nil {
				return res
			}
			engine := r.engines[(i+round)%len(r.engines)]
			s := sample{Engine: engine, Round: round}
			var err error
			s.clientResult, err = r.runOnce(ctx, w, engine)
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

// runOnce starts a fresh server and a fresh client and returns what the client
// measured.
func (r *runner) runOnce(ctx context.Context, w row, engine string) (clientResult, error) {
	ctx, cancel := context.WithTimeout(ctx, r.warmup+r.measure+runLimit)
	defer cancel()
	var result clientResult
	server, addr, err := r.startServer(ctx, engine, w.Network, w.netBuffer(), 0)
	if err != nil {
		return result, err
	}
	defer server.stop()
	client, err := startProcess(ctx, r.cpus.client, append(r.clientArgs("client", w.Network, addr, w.Conns),
		"-pid", strconv.Itoa(server.pid()), "-depth", strconv.Itoa(w.Depth), "-size", strconv.Itoa(w.Size),
		"-warmup", r.warmup.String(), "-measure", r.measure.String()))
	if err != nil {
		return result, err
	}
	defer client.stop()
	line, err := client.expect("result ")
	if err != nil {
		return result, fmt.Errorf("client: %w", err)
	}
	if err := json.Unmarshal([]byte(line), &result); err != nil {
		return result, fmt.Errorf("client printed %q: %w", line, err)
	}
	if result.Messages == 0 {
		return result, fmt.Errorf("no message came back in the measured phase")
	}
	return result, nil
}

// startServer starts an engine's server and returns its address.
func (r *runner) startServer(ctx context.Context, engine, network string, buffer int, idle time.Duration) (*process, string, error) {
	argv := []string{r.c, network}
	if engine != "c" {
		argv = []string{r.self, "server", "-engine", engine, "-network", network,
			"-buffer", strconv.Itoa(buffer), "-idle", idle.String()}
	}
	p, err := startProcess(ctx, r.cpus.server, argv)
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

func (r *runner) clientArgs(role, network, addr string, conns int) []string {
	return []string{r.self, role, "-network", network, "-addr", addr, "-conns", strconv.Itoa(conns)}
}

// progress prints to stderr, so that stdout is the report alone.
func progress(format string, args ...any) {
	_, _ = io.WriteString(os.Stderr, strings.TrimRight(fmt.Sprintf(format, args...), "\n")+"\n")
}
