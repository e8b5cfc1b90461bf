package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"time"
)

// profile is a kind of profile that a process can write about itself.
type profile struct {
	name, text string
	time       time.Duration // that it takes, if the query does not say
	write      func(context.Context, io.Writer, profileQuery) error
}

// profileQuery is what the query of a profile says, with the names of net/http/pprof.
type profileQuery struct {
	seconds time.Duration
	debug   int  // 0 for the tool pprof, 1 or 2 for people
	gc      bool // collect garbage first
}

// profileKinds are in the order of the page that lists them.
var profileKinds = []profile{
	{"profile", "where CPU time is spent, over 30 s", 30 * time.Second, writeCPU},
	{"heap", "memory that is in use; gc=1 collects garbage first", 0, writeHeap},
	{"allocs", "memory that was ever allocated", 0, writeNamed("allocs")},
	{"goroutine", "all goroutines; debug=2 for their stacks", 0, writeNamed("goroutine")},
	{"block", "where goroutines wait; with seconds= it looks for so long", 0, writeBlock},
	{"mutex", "where locks are held; with seconds= it looks for so long", 0, writeMutex},
	{"threadcreate", "what made threads", 0, writeNamed("threadcreate")},
	{"trace", "what the scheduler does, over 1 s, for go tool trace", time.Second, writeTrace},
	{"cmdline", "the command line, with NUL bytes between its words", 0, writeCommandLine},
}

// longestProfile bounds seconds=.
const longestProfile = 5 * time.Minute

// errUnknownProfile is returned for a name that is none of profileKinds.
var errUnknownProfile = errors.New("unknown profile")

// WriteProfile writes a profile of this process to w: profile, heap, allocs, goroutine,
// block, mutex, threadcreate, trace or cmdline. The query is that of net/http/pprof: seconds,
// debug and gc. A profile that takes time ends early when ctx does. Nothing is written if the
// name or the query is wrong, or if a CPU profile or trace is being taken already. It may be
// called from every goroutine.
func WriteProfile(ctx context.Context, w io.Writer, name string, query url.Values) error {
	kind, q, err := parseProfile(name, query)
	if err != nil {
		return err
	}
	return kind.write(ctx, w, q)
}

// parseProfile finds the kind and reads the query.
func parseProfile(name string, query url.Values) (kind profile, q profileQuery, err error) {
	for _, k := range profileKinds {
		if k.name == name {
			kind = k
		}
	}
	if kind.write == nil {
		return kind, q, fmt.Errorf("%w %s", errUnknownProfile, strconv.Quote(name))
	}
	q.seconds = kind.time
	if text := query.Get("seconds"); text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if !(err == nil && n > 0 && n <= longestProfile.Seconds()) { // which no NaN is
			return kind, q, fmt.Errorf("seconds=%s: not a number above 0, up to %.0f", text, longestProfile.Seconds())
		}
		q.seconds = time.Duration(n * float64(time.Second))
	}
	if text := query.Get("debug"); text != "" {
		if q.debug, err = strconv.Atoi(text); err != nil {
			return kind, q, fmt.Errorf("debug=%s: not a number", text)
		}
	}
	q.gc = query.Get("gc") != "" && query.Get("gc") != "0"
	return kind, q, nil
}

// pass lets time pass.
func pass(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func writeCPU(ctx context.Context, w io.Writer, q profileQuery) error {
	if err := pprof.StartCPUProfile(w); err != nil {
		return err
	}
	defer pprof.StopCPUProfile() // writes it
	pass(ctx, q.seconds)
	return nil
}

func writeTrace(ctx context.Context, w io.Writer, q profileQuery) error {
	if err := trace.Start(w); err != nil {
		return err
	}
	defer trace.Stop()
	pass(ctx, q.seconds)
	return nil
}

func writeHeap(_ context.Context, w io.Writer, q profileQuery) error {
	if q.gc {
		runtime.GC()
	}
	return pprof.Lookup("heap").WriteTo(w, q.debug)
}

func writeNamed(name string) func(context.Context, io.Writer, profileQuery) error {
	return func(_ context.Context, w io.Writer, q profileQuery) error {
		return pprof.Lookup(name).WriteTo(w, q.debug)
	}
}

// The runtime does not look at waiting unless somebody asks for it. With seconds=, it does
// for that time.
const (
	blockRate     = 10_000 // one wait in so many nanoseconds of waiting
	mutexFraction = 10     // one of so many
)

func writeBlock(ctx context.Context, w io.Writer, q profileQuery) error {
	if q.seconds > 0 {
		runtime.SetBlockProfileRate(blockRate)
		pass(ctx, q.seconds)
		runtime.SetBlockProfileRate(0) // nobody can tell what it was
	}
	return pprof.Lookup("block").WriteTo(w, q.debug)
}

func writeMutex(ctx context.Context, w io.Writer, q profileQuery) error {
	if q.seconds > 0 {
		before := runtime.SetMutexProfileFraction(mutexFraction)
		pass(ctx, q.seconds)
		runtime.SetMutexProfileFraction(before)
	}
	return pprof.Lookup("mutex").WriteTo(w, q.debug)
}

func writeCommandLine(_ context.Context, w io.Writer, _ profileQuery) error {
	_, err := io.WriteString(w, strings.Join(os.Args, "\x00"))
	return err
}
