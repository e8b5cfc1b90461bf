package dialer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// postLoop is a loop whose functions a test runs.
type postLoop chan func()

func (l postLoop) Post(fn func()) bool {
	l <- fn
	return true
}

// runNext runs the next function that was posted.
func (l postLoop) runNext(t *testing.T) {
	t.Helper()
	testkit.Receive(t, l, "a function is posted")()
}

func TestResolver(t *testing.T) {
	release := make(chan struct{}, 10)
	lookUps := 0 // one at a time in this test
	failure := errors.New("server misbehaving")
	r := &Resolver{LookUp: func(_ context.Context, name string) ([]netip.Addr, error) {
		<-release
		lookUps++
		switch name {
		case "fails.test":
			return nil, failure
		case "empty.test":
			return nil, nil
		}
		return addrs("192.0.2.1"), nil
	}}
	l := make(postLoop, 10)
	var ips []netip.Addr
	var err error
	calls := 0
	done := func(got []netip.Addr, e error) { ips, err, calls = got, e, calls+1 }

	r.Find(l, "a.test", done)
	cancel := r.Find(l, "a.test", done)
	r.Find(l, "a.test", done)
	if n := r.Waiting(); n != 3 {
		t.Errorf("%d questions wait, want 3", n)
	}
	cancel()
	release <- struct{}{}
	for range 3 {
		l.runNext(t)
	}
	if calls != 2 || !slices.Equal(ips, addrs("192.0.2.1")) || err != nil || lookUps != 1 {
		t.Errorf("got %d answers, the last %v, %v, by %d look-ups; want 2 answers by 1", calls, ips, err, lookUps)
	}
	r.Find(l, "a.test", done) // is remembered
	l.runNext(t)
	if n := r.Waiting(); calls != 3 || lookUps != 1 || n != 0 {
		t.Errorf("got %d answers by %d look-ups, %d wait; want 3 by 1 and none", calls, lookUps, n)
	}
	for range 2 { // errors are not remembered
		release <- struct{}{}
		r.Find(l, "fails.test", done)
		l.runNext(t)
		if err != failure {
			t.Errorf("got %v, want %v", err, failure)
		}
	}
	if lookUps != 3 {
		t.Errorf("%d look-ups, want 3", lookUps)
	}
	release <- struct{}{}
	r.Find(l, "empty.test", done)
	l.runNext(t)
	var dns *net.DNSError
	if !errors.As(err, &dns) || dns.Name != "empty.test" || !dns.IsNotFound {
		t.Errorf("a name without addresses: got %v, want a *net.DNSError", err)
	}
}

func TestResolverForgets(t *testing.T) {
	lookUps := 0
	r := &Resolver{LookUp: func(context.Context, string) ([]netip.Addr, error) {
		lookUps++
		return addrs("192.0.2.1"), nil
	}}
	l := make(postLoop, 1)
	find := func() {
		t.Helper()
		r.Find(l, "a.test", func([]netip.Addr, error) {})
		l.runNext(t)
	}
	find()
	r.mu.Lock()
	r.answers["a.test"] = answer{addrs("192.0.2.1"), time.Now()}
	r.mu.Unlock()
	find()
	if lookUps != 2 {
		t.Errorf("%d look-ups for an answer that was too old, want 2", lookUps)
	}
}
