package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime/debug"
	"time"
)

// clientConfig is one load run.
type clientConfig struct {
	load
	addr    netip.AddrPort
	cert    string        // file with the server's certificate, for TLS
	cipher  string        // that has to be used
	pid     int           // the server, whose CPU time is read
	conns   int           // connections, or UDP sockets
	depth   int           // messages in flight on each of them
	warmup  time.Duration // load that is not measured
	measure time.Duration // load that is
}

// clientResult is what a run found, in nanoseconds where a time is meant.
type clientResult struct {
	Messages int64 `json:"messages"`
	Wall     int64 `json:"wall_ns"`
	CPU      int64 `json:"server_cpu_ns"`
	User     int64 `json:"server_user_ticks"`
	Sys      int64 `json:"server_sys_ticks"`
	Switches int64 `json:"server_switches"`
	P50      int64 `json:"p50_ns"`
	P99      int64 `json:"p99_ns"`
	P999     int64 `json:"p999_ns"`
	Lost     int64 `json:"lost"` // datagrams sent again after lossTimeout
}

// stallLimit ends a run in which nothing comes back any more.
const stallLimit = 5 * time.Second

// clientMain is the process behind "bench client". It prints "measuring" when
// the warm-up is over, upon which the runner sends a line, and its result as one line, "result" and JSON. Then it
// keeps its connections until its standard input ends: their ends are none of
// the server's work that is measured.
func clientMain(args []string) error {
	cfg, err := parseClient("client", args)
	if err != nil {
		return err
	}
	// The run allocates next to nothing once it has started, and a collection
	// in it would be seen as latency.
	debug.SetGCPercent(-1)
	run := runBursts
	switch {
	case cfg.Network == "udp":
		run = runUDP
	case cfg.Task == broadcastTask:
		run = runBroadcast
	}
	result, err := run(cfg)
	if err != nil {
		return err
	}
	line, err := json.Marshal(result)
	if err != nil {
		return err
	}
	fmt.Printf("result %s\n", line)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func parseClient(name string, args []string) (clientConfig, error) {
	var cfg clientConfig
	set := flag.NewFlagSet(name, flag.ExitOnError)
	addr := set.String("addr", "", "server address")
	cfg.register(set)
	set.StringVar(&cfg.cert, "cert", "", "file with the server's certificate")
	set.StringVar(&cfg.cipher, "cipher", "", "cipher suite that TLS has to use")
	set.IntVar(&cfg.pid, "pid", 0, "server process")
	set.IntVar(&cfg.conns, "conns", 100, "connections or UDP sockets")
	set.IntVar(&cfg.depth, "depth", 1, "messages in flight on each")
	set.DurationVar(&cfg.warmup, "warmup", 0, "load before the measured phase")
	set.DurationVar(&cfg.measure, "measure", time.Second, "measured phase")
	if err := set.Parse(args); err != nil {
		return cfg, err
	}
	var err error
	if cfg.addr, err = netip.ParseAddrPort(*addr); err != nil {
		return cfg, fmt.Errorf("server address: %w", err)
	}
	if !cfg.addr.Addr().Is4() || !cfg.addr.Addr().IsLoopback() {
		return cfg, fmt.Errorf("%s is not an IPv4 loopback address", cfg.addr)
	}
	if cfg.conns < 1 || cfg.depth < 1 || cfg.Size < udpHeader || cfg.Size > maxSize {
		return cfg, fmt.Errorf("conns and depth must be at least 1, size from %d to %d", udpHeader, maxSize)
	}
	return cfg, nil
}

var started = time.Now()

// now is the monotonic time in nanoseconds since the process started.
func now() int64 { return int64(time.Since(started)) }

// maxSize keeps a message of a WebSocket within 16 bits of length, and within
// what the C server takes.
const maxSize = 32 << 10

// patternShifts is how many different starts a message can have in the pattern.
const patternShifts = 4096

// newPattern returns bytes from which every message of up to n bytes is cut.
// Each message starts at another place, so an echo that is late, swapped with
// another connection's or damaged does not compare equal.
func newPattern(n int) []byte {
	p := make([]byte, n+patternShifts)
	x := uint32(2463534242)
	for i := range p {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		p[i] = byte(x)
	}
	return p
}

// phase times one run: warm-up, then the measured part, with the server's CPU
// time read at both ends of it by the client itself, without any pause in the
// load.
type phase struct {
	cfg       clientConfig
	pauses    bool // before the measured part it waits for the runner
	hist      histogram
	messages  int64
	lost      int64
	measuring bool
	next      int64 // when the warm-up, then the run, ends
	start     int64
	startCPU  cpuTimes
	progress  int64 // messages at the last look
	checked   int64 // when that look saw a change
}

func newPhase(cfg clientConfig) *phase {
	t := now()
	return &phase{cfg: cfg, next: t + int64(cfg.warmup), checked: t}
}

// at is called in every turn of the load loop; it says when the run is over.
func (p *phase) at(t int64) (over bool, err error) {
	if err := p.stalled(t); err != nil {
		return true, err
	}
	if t < p.next {
		return false, nil
	}
	if p.measuring {
		return p.messages > 0, nil // a slow machine gets the time for one
	}
	p.measuring = true
	fmt.Println("measuring")
	if p.pauses {
		if _, err := os.Stdin.Read(make([]byte, 64)); err != nil {
			return true, fmt.Errorf("wait for the runner: %w", err)
		}
	}
	p.hist.reset()
	p.messages, p.progress, p.lost = 0, 0, 0
	if p.startCPU, err = readCPU(p.cfg.pid); err != nil {
		return true, err
	}
	p.start = now()
	p.next = p.start + int64(p.cfg.measure)
	return false, nil
}

// stalled is an error if nothing has come back for a long time.
func (p *phase) stalled(t int64) error {
	if p.messages != p.progress {
		p.progress, p.checked = p.messages, t
	} else if t-p.checked > int64(stallLimit) {
		return fmt.Errorf("no answer came back for %v", stallLimit)
	}
	return nil
}

// result closes the measured phase.
func (p *phase) result() (clientResult, error) {
	end := now()
	cpu, err := readCPU(p.cfg.pid)
	if err != nil {
		return clientResult{}, err
	}
	return clientResult{
		Messages: p.messages,
		Wall:     end - p.start,
		CPU:      cpu.total - p.startCPU.total,
		User:     cpu.user - p.startCPU.user,
		Sys:      cpu.sys - p.startCPU.sys,
		Switches: cpu.switches - p.startCPU.switches,
		P50:      p.hist.quantile(0.50),
		P99:      p.hist.quantile(0.99),
		P999:     p.hist.quantile(0.999),
		Lost:     p.lost,
	}, nil
}
