package workerman

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func addrs(list ...string) (ips []netip.Addr) {
	for _, a := range list {
		ips = append(ips, netip.MustParseAddr(a))
	}
	return ips
}

// lookUps answers what a test says, and counts.
func lookUps(s *testService, count *atomic.Int64, ips ...netip.Addr) {
	s.master.resolver.LookUp = func(_ context.Context, name string) ([]netip.Addr, error) {
		count.Add(1)
		if name != "server.test" {
			return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
		}
		return ips, nil
	}
}

func port(w *Worker) string {
	_, port, _ := net.SplitHostPort(w.Addr().String())
	return port
}

// The first address refuses: the next one is tried at once.
func TestClientTriesAllAddresses(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		var count atomic.Int64
		lookUps(s, &count, addrs("127.0.0.3", "::1", "127.0.0.1")...)
		h := make(happened, 20)
		for range 3 { // and the answer is remembered
			cl := s.master.NewClient("text://server.test:" + port(w))
			h.watch(cl)
			connect(t, cl)
			h.expect(t, "connect")
			cl.Close()
			h.expect(t, "close <nil>")
		}
		if n := count.Load(); n != 1 {
			t.Errorf("%d look-ups", n)
		}
		var op *net.OpError
		cl := s.master.NewClient("text://server.test:" + strings.Split(refusing(t), ":")[1])
		_, err := failure(t, cl)
		if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || !strings.Contains(err.Error(), "127.0.0.3") || !strings.Contains(err.Error(), "127.0.0.1:") {
			t.Errorf("%v", err)
		}
	})
}

func TestClientUnknownName(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, _ := serve(t, k, "text", echo)
		var count atomic.Int64
		lookUps(s, &count)
		var dns *net.DNSError
		for _, host := range []string{"unknown.test", "server.test"} {
			if _, err := failure(t, s.master.NewClient("text://"+host+":1")); !errors.As(err, &dns) || dns.Name != host {
				t.Errorf("%v", err)
			}
		}
	})
}

// Who asks for a name while it is being looked up waits with the first, and a client that
// is closed meanwhile hears nothing.
func TestClientsShareALookUp(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w := serve(t, k, "text", echo)
		var count atomic.Int64
		release := make(chan struct{})
		s.master.resolver.LookUp = func(context.Context, string) ([]netip.Addr, error) {
			count.Add(1)
			<-release
			return addrs("127.0.0.1"), nil
		}
		h := make(happened, 20)
		var all []*Client
		for range 5 {
			cl := s.master.NewClient("text://server.test:" + port(w))
			h.watch(cl)
			connect(t, cl)
			all = append(all, cl)
		}
		eventually(t, "all wait", func() bool { return s.master.resolver.Waiting() == 5 })
		late := s.master.NewClient("text://server.test:" + port(w))
		late.ConnectTimeout = 30 * time.Millisecond
		if _, err := failure(t, late); !errors.Is(err, ErrConnectTimeout) || !strings.Contains(err.Error(), "look-up of server.test") {
			t.Errorf("%v", err)
		}
		all[0].Close()
		eventually(t, "it is forgotten", func() bool { return len(s.master.registered()) == 4 })
		close(release)
		h.expect(t, "connect", "connect", "connect", "connect")
		if n := count.Load(); n != 1 {
			t.Errorf("%d look-ups", n)
		}
	})
}

// The system's resolver, with a name that needs no network.
func TestClientOfLocalhost(t *testing.T) {
	s, w := serve(t, kind{network: "tcp"}, "text", echo)
	cl := s.master.NewClient(fmt.Sprintf("text://localhost:%s", port(w)))
	h := make(happened, 10)
	h.watch(cl)
	connect(t, cl)
	h.expect(t, "connect")
}
