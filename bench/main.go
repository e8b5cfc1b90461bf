// Command bench puts servers of several network engines under the same
// load, side by side, and prints what a message costs each of them. README.md
// says how and why.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func init() {
	// The runner's children are bound to the thread that forks them (CPU
	// affinity, death signal), so that must be the main one for good.
	runtime.LockOSThread()
}

// main is the runner, or one of the processes it starts from the same binary.
func main() {
	role, args := "run", os.Args[1:]
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		role, args = args[0], args[1:]
	}
	var err error
	switch role {
	case "run":
		err = runMain(args)
	case "server":
		runtime.UnlockOSThread()
		err = serverMain(args)
	case "client":
		err = clientMain(args)
	case "hold":
		err = holdMain(args)
	default:
		err = fmt.Errorf("unknown command %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the runner's flags.
type options struct {
	rounds   int
	seconds  float64
	rows     *regexp.Regexp
	engines  []string
	memory   bool
	memConns int
	json     string
}

func parseOptions(args []string) (options, error) {
	var o options
	set := flag.NewFlagSet("bench", flag.ExitOnError)
	set.IntVar(&o.rounds, "rounds", 7, "rounds of every row")
	set.Float64Var(&o.seconds, "seconds", 1, "measured seconds of a run")
	rowsFlag := set.String("rows", "", "regular expression of the tables to make (default all)")
	engines := set.String("engines", strings.Join(allEngines, ","), "engines to run")
	set.BoolVar(&o.memory, "memory", true, "make the tables of memory, of idle connections")
	set.IntVar(&o.memConns, "memconns", 10_000, "idle connections of these")
	set.StringVar(&o.json, "json", "", "write all samples to this file")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	if set.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	if o.rounds < 1 || o.seconds <= 0 || o.seconds > 60 || o.memConns < 1 {
		return o, fmt.Errorf("-rounds and -memconns must be positive, -seconds in (0, 60]")
	}
	var err error
	if o.rows, err = regexp.Compile(*rowsFlag); err != nil {
		return o, fmt.Errorf("-rows: %w", err)
	}
	o.engines = strings.Split(*engines, ",")
	for _, e := range o.engines {
		if !slices.Contains(allEngines, e) {
			return o, fmt.Errorf("-engines: %q is none of %s", e, strings.Join(allEngines, ", "))
		}
	}
	return o, nil
}

func runMain(args []string) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, err := newRunner(ctx, o, dir)
	if err != nil {
		return err
	}

	rep := report{System: systemInfo(), Rounds: o.rounds}
	rep.writeSystem(os.Stdout)
	for _, w := range rows {
		engines := w.engines(r.engines)
		if !o.rows.MatchString(w.Name) || len(engines) == 0 || ctx.Err() != nil {
			continue
		}
		progress("%s: %d rounds of %s", w.Name, o.rounds, strings.Join(engines, ", "))
		res := r.runRow(ctx, w, o.rounds)
		res.write(os.Stdout, r.engines)
		rep.Rows = append(rep.Rows, res)
	}
	conns, err := memoryConns(o.memConns)
	if err != nil {
		return err
	}
	for _, t := range memoryTables {
		if !o.memory || !o.rows.MatchString(t.name) || len(t.engines(r.engines)) == 0 || ctx.Err() != nil {
			continue
		}
		rounds := min(o.rounds, memoryRounds)
		progress("%s: %d rounds of %d connections", t.name, rounds, conns)
		results := r.runMemory(ctx, t, rounds, conns)
		writeMemory(os.Stdout, t, results)
		rep.Memory = append(rep.Memory, results...)
	}
	if o.json != "" {
		if err := rep.writeJSON(o.json); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted")
	}
	if n := rep.failures(); n > 0 {
		return fmt.Errorf("%d runs failed", n)
	}
	return nil
}

// newRunner finds what the runs need; an engine that cannot run here is left
// out, with the reason.
func newRunner(ctx context.Context, o options, dir string) (*runner, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cpus, err := pickCPUs()
	if err != nil {
		return nil, err
	}
	r := &runner{
		self:    self,
		dir:     dir,
		cpus:    cpus,
		engines: o.engines,
		warmup:  200 * time.Millisecond,
		measure: time.Duration(o.seconds * float64(time.Second)),
	}
	if r.cert, r.key, err = writeCertificate(dir); err != nil {
		return nil, err
	}
	if slices.Contains(r.engines, "c") {
		if r.c, err = buildC(ctx, dir); err != nil {
			r.skip("c", err)
		}
	}
	if slices.Contains(r.engines, "nginx") {
		if r.nginx, err = exec.LookPath("nginx"); err != nil {
			r.skip("nginx", err)
		}
	}
	if slices.ContainsFunc(r.engines, func(e string) bool { return strings.HasPrefix(e, "haproxy") }) {
		if r.haproxy, err = exec.LookPath("haproxy"); err != nil {
			r.skip("haproxy", err)
			r.skip("haproxy-splice", err)
		}
	}
	return r, nil
}

func (r *runner) skip(engine string, why error) {
	fmt.Printf("engine %s is skipped: %v\n", engine, why)
	r.engines = slices.DeleteFunc(slices.Clone(r.engines), func(e string) bool { return e == engine })
}

// memoryConns is how many connections fit in the limit on open files.
func memoryConns(want int) (int, error) {
	limit, err := raiseFileLimit()
	if err != nil {
		return 0, err
	}
	if most := limit - spareFiles; want > most {
		progress("only %d connections: the hard limit on open files is %d", most, limit)
		return most, nil
	}
	return want, nil
}
