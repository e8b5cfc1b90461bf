package dialer

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// headStart is how long an address has for its answer before the next one is tried too.
const headStart = 250 * time.Millisecond

// Targets makes the targets of a race: the addresses that can be reached from local, in the
// order in which to try them. local may be the zero value, which every address is reached from.
func Targets(ips []netip.Addr, port uint16, local netip.AddrPort) ([]loop.Target, error) {
	var targets []loop.Target
	for _, ip := range interleave(ips) {
		if !local.IsValid() || ip.Unmap().Is4() == local.Addr().Unmap().Is4() {
			targets = append(targets, loop.Target{Addr: netip.AddrPortFrom(ip.Unmap(), port), Local: local})
		}
	}
	if len(targets) == 0 {
		return nil, fmt.Errorf("no address of %v can be reached from LocalAddr %v", ips, local.Addr())
	}
	return targets, nil
}

// interleave orders addresses so that the families take turns, beginning with that of the
// first (RFC 8305 section 4).
func interleave(ips []netip.Addr) []netip.Addr {
	var families [2][]netip.Addr
	for _, ip := range ips {
		i := 0
		if ip.Unmap().Is4() != ips[0].Unmap().Is4() {
			i = 1
		}
		families[i] = append(families[i], ip)
	}
	out := make([]netip.Addr, 0, len(ips))
	for len(families[0])+len(families[1]) > 0 {
		for i, f := range families {
			if len(f) > 0 {
				out = append(out, f[0])
				families[i] = f[1:]
			}
		}
	}
	return out
}

// Race connects to the first target that answers, RFC 8305 (Happy Eyeballs): they are tried
// one after the other, each with a head start of 250 ms or until it has failed. There must be
// one target at least. Race runs on the loop and calls done there once, after it has returned,
// with the socket or with the errors of all targets. cancel runs on the loop too; after it,
// done is not called any more.
func Race(l *loop.Loop, targets []loop.Target, done func(loop.Incoming, error)) (cancel func()) {
	if len(targets) == 1 {
		return l.Connect(targets[0], done).Cancel
	}
	r := &race{engine: (*loopEngine)(l), untried: targets, done: done}
	r.tryNext()
	return r.cancel
}

// engine is what a race needs of an event loop.
type engine interface {
	// connect begins to connect and calls done later, unless it is cancelled.
	connect(t loop.Target, done func(loop.Incoming, error)) (cancel func())
	// after calls fn once after d, unless it is stopped.
	after(d time.Duration, fn func()) (stop func())
}

// loopEngine is a loop as the engine of a race.
type loopEngine loop.Loop

var _ engine = (*loopEngine)(nil)

func (e *loopEngine) connect(t loop.Target, done func(loop.Incoming, error)) (cancel func()) {
	return (*loop.Loop)(e).Connect(t, done).Cancel
}

func (e *loopEngine) after(d time.Duration, fn func()) (stop func()) {
	timer := (*loop.Loop)(e).After(d, fn)
	return func() { timer.Stop() }
}

// race is one run of Race. It belongs to the loop.
type race struct {
	engine  engine
	untried []loop.Target
	cancels []func() // one for each target that has been tried
	stop    func()   // stops the timer of the next try
	errs    []error
	done    func(loop.Incoming, error)
}

// tryNext begins with the next target.
func (r *race) tryNext() {
	target := r.untried[0]
	r.untried = r.untried[1:]
	if len(r.untried) > 0 {
		r.stop = r.engine.after(headStart, r.tryNext)
	}
	r.cancels = append(r.cancels, r.engine.connect(target, r.finish))
}

// finish takes the result of one target.
func (r *race) finish(in loop.Incoming, err error) {
	if err == nil {
		r.cancel()
		r.done(in, nil)
		return
	}
	r.errs = append(r.errs, err)
	switch {
	case len(r.untried) > 0:
		r.stop()
		r.tryNext()
	case len(r.errs) == len(r.cancels):
		r.done(in, errors.Join(r.errs...))
	}
}

// cancel gives up what is still running.
func (r *race) cancel() {
	if r.stop != nil {
		r.stop()
	}
	for _, cancel := range r.cancels {
		cancel()
	}
}
