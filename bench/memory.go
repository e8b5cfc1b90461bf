package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// memoryRounds is the most that is needed here: memory hardly varies from run to run.
const memoryRounds = 3

// memoryTable is one table of memory: connections that have exchanged one message.
type memoryTable struct {
	name string // what -rows is matched with
	load
}

var memoryTables = []memoryTable{
	{"mem-tcp", load{"tcp", echoTask, 64, false}},
	{"mem-http", load{"http", pageTask, len(page), false}},
	{"mem-https", load{"https", pageTask, len(page), false}},
	{"mem-ws", load{"ws", echoTask, 64, false}},
	{"mem-ws-deflate", load{"ws", echoTask, 1 << 10, true}},
	{"mem-wss", load{"wss", echoTask, 64, false}},
}

func (t memoryTable) title() string {
	name := protocolTitles[t.Network]
	if t.Deflate {
		name = "compressed " + name
	}
	return name
}

// memoryCase is one line of a table.
type memoryCase struct {
	label, engine string
	idle          time.Duration
}

// memoryResult is the memory of a server before and with its connections.
type memoryResult struct {
	Table  string `json:"table"`
	Label  string `json:"label"`
	Round  int    `json:"round"`
	Conns  int    `json:"conns"`
	Before int64  `json:"rss_before"`
	After  int64  `json:"rss_after"`
	Error  string `json:"error,omitempty"`
}

// cases are the engines, and this framework once more with an idle deadline on every
// connection, which needs state of its own. With HTTP it has one by default, and for
// the pings of a WebSocket too. How an answer is sent makes no difference here.
func (t memoryTable) cases(engines []string) []memoryCase {
	var cases []memoryCase
	for _, e := range t.engines(engines) {
		if e == "workerman-send" || e == "workerman-handler" {
			continue
		}
		cases = append(cases, memoryCase{label: e, engine: e})
		if e == "workerman" && t.Network == "tcp" {
			cases = append(cases, memoryCase{label: e + ", idle deadline", engine: e, idle: time.Hour})
		}
	}
	return cases
}

func (r *runner) runMemory(ctx context.Context, t memoryTable, rounds, conns int) []memoryResult {
	var results []memoryResult
	for round := range rounds {
		for _, c := range t.cases(r.engines) {
			if ctx.Err() != nil {
				return results
			}
			m := memoryResult{Table: t.name, Label: c.label, Round: round, Conns: conns}
			var err error
			m.Before, m.After, err = r.memoryOnce(ctx, t.load, c, conns)
			if ctx.Err() != nil {
				return results // interrupted: says nothing about the engine
			}
			if err != nil {
				m.Error = err.Error()
			}
			results = append(results, m)
		}
	}
	return results
}

// memoryOnce measures the resident memory of a fresh server without a
// connection, and with conns of them after one message on each.
func (r *runner) memoryOnce(ctx context.Context, l load, c memoryCase, conns int) (before, after int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	server, addr, err := r.startServer(ctx, c.engine, l, 4<<10, c.idle)
	if err != nil {
		return 0, 0, err
	}
	defer server.stop()
	if before, err = settledRSS(server, c.engine); err != nil {
		return 0, 0, err
	}
	client, err := startProcess(ctx, r.cpus.client, r.clientArgs("hold", c.engine, l, addr, conns))
	if err != nil {
		return 0, 0, err
	}
	defer client.stop()
	if _, err := client.expect("held"); err != nil {
		return 0, 0, fmt.Errorf("client: %w", err)
	}
	after, err = settledRSS(server, c.engine)
	return before, after, err
}

// settledRSS is the resident memory once the server has given back what it
// does not need. Servers in C have nothing to give back.
func settledRSS(server *process, engine string) (int64, error) {
	if isGo(engine) {
		if _, err := server.ask("collect", "collected"); err != nil {
			return 0, fmt.Errorf("server: %w", err)
		}
	}
	return readRSS(server.pid())
}

// readRSS sums what is resident page by page; the counter in /proc/PID/statm
// is cheaper for the kernel, but off by up to some hundred kilobytes.
func readRSS(pid int) (int64, error) {
	name := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(data) {
		rest, ok := strings.CutPrefix(string(line), "Rss:")
		if !ok {
			continue
		}
		kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		return kb << 10, nil
	}
	return 0, fmt.Errorf("%s has no Rss line", name)
}
