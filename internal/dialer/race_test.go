package dialer

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

func addrs(list ...string) (ips []netip.Addr) {
	for _, a := range list {
		ips = append(ips, netip.MustParseAddr(a))
	}
	return ips
}

func TestInterleave(t *testing.T) {
	for _, c := range []struct{ in, want []netip.Addr }{
		{nil, nil},
		{addrs("192.0.2.1"), addrs("192.0.2.1")},
		{addrs("192.0.2.1", "192.0.2.2", "2001:db8::1"), addrs("192.0.2.1", "2001:db8::1", "192.0.2.2")},
		{addrs("2001:db8::1", "2001:db8::2", "2001:db8::3", "::ffff:192.0.2.1"), addrs("2001:db8::1", "::ffff:192.0.2.1", "2001:db8::2", "2001:db8::3")},
	} {
		if got := interleave(c.in); !slices.Equal(got, c.want) {
			t.Errorf("interleave(%v): got %v, want %v", c.in, got, c.want)
		}
	}
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		ips   []netip.Addr
		local string
		want  string
	}{
		{addrs("192.0.2.1", "2001:db8::1"), "", "192.0.2.1:7 [2001:db8::1]:7"},
		{addrs("192.0.2.1", "2001:db8::1"), "[::1]:0", "[2001:db8::1]:7"},
		{addrs("::ffff:192.0.2.1", "2001:db8::1"), "127.0.0.1:0", "192.0.2.1:7"},
		{addrs("2001:db8::1"), "127.0.0.1:0", "no address of [2001:db8::1] can be reached from LocalAddr 127.0.0.1"},
	} {
		var local netip.AddrPort
		if c.local != "" {
			local = netip.MustParseAddrPort(c.local)
		}
		targets, err := Targets(c.ips, 7, local)
		var list []string
		for _, target := range targets {
			list = append(list, target.Addr.String())
			if target.Local != local {
				t.Errorf("%v from %q: the target is from %v", c.ips, c.local, target.Local)
			}
		}
		got := strings.Join(list, " ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v from %q: got %q, want %q", c.ips, c.local, got, c.want)
		}
	}
}

// script is an engine that does what a test says, and writes down what a race asks of it.
type script struct {
	log     []string
	results map[string]func(loop.Incoming, error) // of the connects that are running
	timer   func()
}

func (s *script) connect(t loop.Target, done func(loop.Incoming, error)) (cancel func()) {
	s.log = append(s.log, "connect "+t.Path)
	s.results[t.Path] = done
	return func() {
		if s.results[t.Path] != nil {
			s.log = append(s.log, "cancel "+t.Path)
			delete(s.results, t.Path)
		}
	}
}

func (s *script) after(d time.Duration, fn func()) (stop func()) {
	s.log = append(s.log, fmt.Sprint("timer ", d))
	s.timer = fn
	return func() { s.timer = nil }
}

// do lets one thing happen: "pass" of the head start, "cancel", or "ok" or "fail" of a connect.
func (s *script) do(t *testing.T, r *race, event string) {
	t.Helper()
	what, path, _ := strings.Cut(event, " ")
	switch done := s.results[path]; what {
	case "pass":
		if s.timer == nil {
			t.Fatal("no timer is armed")
		}
		fn := s.timer
		s.timer = nil
		fn()
	case "cancel":
		r.cancel()
	case "ok":
		delete(s.results, path)
		done(loop.Incoming{}, nil)
	case "fail":
		delete(s.results, path)
		done(loop.Incoming{}, errors.New(path+" refuses"))
	default:
		t.Fatalf("unknown event %q", event)
	}
}

func TestRace(t *testing.T) {
	const start = "timer 250ms, connect a"
	for _, c := range []struct {
		name   string
		events string
		want   string
	}{
		{"the first answers in time", "ok a", start + ", done"},
		{"the first fails at once", "fail a, ok b", start + ", timer 250ms, connect b, done"},
		{"the second is faster", "pass, ok b", start + ", timer 250ms, connect b, cancel a, done"},
		{"the first wins late", "pass, pass, ok a", start + ", timer 250ms, connect b, connect c, cancel b, cancel c, done"},
		{"all fail", "fail a, fail b, fail c", start + ", timer 250ms, connect b, connect c, done a refuses+b refuses+c refuses"},
		{"the last one fails first", "pass, pass, fail c, fail a, ok b", start + ", timer 250ms, connect b, connect c, done"},
		{"cancelled", "pass, cancel", start + ", timer 250ms, connect b, cancel a, cancel b"},
	} {
		s := &script{results: make(map[string]func(loop.Incoming, error))}
		r := &race{engine: s, untried: []loop.Target{{Path: "a"}, {Path: "b"}, {Path: "c"}}}
		r.done = func(_ loop.Incoming, err error) {
			line := "done"
			if err != nil {
				line += " " + strings.ReplaceAll(err.Error(), "\n", "+")
			}
			s.log = append(s.log, line)
		}
		r.tryNext()
		for _, event := range strings.Split(c.events, ", ") {
			s.do(t, r, event)
		}
		if got := strings.Join(s.log, ", "); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if s.timer != nil {
			t.Errorf("%s: the timer is still armed", c.name)
		}
	}
}
