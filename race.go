package workerman

import (
	"errors"
	"net/netip"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// race connects to the first of several addresses that answers, RFC 8305 (Happy Eyeballs):
// one after the other, each with a head start. It runs on a loop.
type race struct {
	loop    *loop.Loop
	left    []loop.Target
	running []*loop.Connecting
	timer   *loop.Timer // of the next start
	errs    []error
	done    func(loop.Incoming, error)
}

// headStart is how long an address has for its answer before the next one is tried too.
const headStart = 250 * time.Millisecond

// startRace connects to one of the targets and calls done once, unless it is cancelled.
func startRace(l *loop.Loop, targets []loop.Target, done func(loop.Incoming, error)) (cancel func()) {
	if len(targets) == 1 {
		return l.Connect(targets[0], done).Cancel
	}
	r := &race{loop: l, left: targets, done: done}
	r.start()
	return r.cancel
}

// start begins with the next address.
func (r *race) start() {
	target := r.left[0]
	r.left = r.left[1:]
	if len(r.left) > 0 {
		r.timer = r.loop.After(headStart, r.start)
	}
	var c *loop.Connecting
	c = r.loop.Connect(target, func(in loop.Incoming, err error) { r.result(c, in, err) })
	r.running = append(r.running, c)
}

func (r *race) result(c *loop.Connecting, in loop.Incoming, err error) {
	if err == nil {
		r.cancel()
		r.done(in, nil)
		return
	}
	r.errs = append(r.errs, err)
	switch {
	case len(r.left) > 0:
		r.timer.Stop()
		r.start()
	case len(r.errs) < len(r.running):
	default:
		r.done(in, errors.Join(r.errs...))
	}
}

// cancel gives up what is still running.
func (r *race) cancel() {
	if r.timer != nil {
		r.timer.Stop()
	}
	for _, c := range r.running {
		c.Cancel()
	}
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
