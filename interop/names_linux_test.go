package interop

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/httpclient"
	"github.com/workerman-go/workerman/internal/testkit"
)

// nameServer runs a dnsmasq that knows the records and nothing else below .test, and is
// responsible for no other name.
func nameServer(t *testing.T, address string, records ...string) *testkit.Program {
	t.Helper()
	args := append([]string{"-k", "--conf-file=/dev/null", "--pid-file=", "--log-facility=-", "--log-queries",
		"--no-resolv", "--no-hosts", "--no-round-robin", "--local=/test/",
		"--listen-address=127.0.0.1", "--bind-interfaces", "--port=" + port(t, address)}, records...)
	if os.Getuid() == 0 {
		args = append(args, "--user=root")
	}
	p := start(t, "dnsmasq", args...)
	listens(t, address) // UDP and TCP are opened together
	return p
}

// askAt makes a server the one that this process asks for names, as a program would that does
// not want the system's. It counts the questions: two for a name that is known, A and AAAA.
func askAt(t *testing.T, address string) *atomic.Int64 {
	questions := new(atomic.Int64)
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			questions.Add(1)
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	return questions
}

// hosts are the records of a name with several addresses.
func hosts(name string, addresses ...string) (records []string) {
	for _, a := range addresses {
		records = append(records, "--host-record="+name+","+a)
	}
	return records
}

// unanswered makes an address that is there but never answers: its queue of connections is
// full, so that the kernel drops what comes.
func unanswered(t *testing.T, address string) {
	t.Helper()
	at := netip.MustParseAddrPort(address)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	endpoint(address).dial(t) // the only one that has room
	c, err := net.DialTimeout("tcp", address, 50*time.Millisecond)
	if err == nil {
		c.Close()
	}
	if !os.IsTimeout(err) {
		t.Fatalf("%s answers: %v", address, err)
	}
}

// The only living address of a name is its last.
func TestClientFindsTheLivingAddress(t *testing.T) {
	need(t, "dnsmasq")
	const living, refused, refusedToo, silent, silentToo = "127.0.0.1", "127.0.0.3", "127.0.0.6", "127.0.0.4", "127.0.0.5"
	names := []struct {
		name      string
		addresses []string
	}{
		{"alone.test", []string{living}},
		{"refused.test", []string{"::1", refused, refusedToo, living}},
		{"silent.test", []string{silent, silentToo, living}},
		{"both.test", []string{"::1", refused, silent, refusedToo, silentToo, living}},
	}
	var records []string
	for _, n := range names {
		records = append(records, hosts(n.name, n.addresses...)...)
	}
	server := testkit.FreeAddress(t)
	nameServer(t, server, records...)
	questions := askAt(t, server)
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
		})
		for _, address := range []string{silent, silentToo} {
			unanswered(t, address+":"+port(t, s.address()))
		}
		m, _ := clients(t, portable)
		for _, n := range names {
			name := n.name
			ips, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip", name)
			if err != nil || len(ips) != len(n.addresses) || ips[len(ips)-1].String() != living {
				t.Fatalf("dnsmasq says of %s: %v, %v, want %v", name, ips, err, n.addresses)
			}
			before, asked := s.Stats().Accepted, questions.Load()
			const many = 20
			events := make(chan string, 10*many)
			var all []*workerman.Client
			for range many {
				cl := m.NewClient("text://" + name + ":" + port(t, s.address()))
				cl.Backoff.Min = time.Millisecond
				cl.OnConnect = func(c *workerman.Conn) { events <- "connect to " + c.RemoteIP().String() }
				cl.OnMessage = func(_ *workerman.Conn, data []byte) { events <- string(data) }
				cl.OnError = func(_ *workerman.Conn, err error) { events <- err.Error() }
				cl.OnClose = func(*workerman.Conn) { events <- "close" }
				cl.Send([]byte("hello"))
				if err := cl.Connect(); err != nil {
					t.Fatal(err)
				}
				all = append(all, cl)
			}
			expect(t, events, name, slices.Concat(slices.Repeat([]string{"connect to " + living}, many), slices.Repeat([]string{"hello"}, many)))
			for _, cl := range all {
				cl.Close()
			}
			expect(t, events, name, slices.Repeat([]string{"close"}, many))
			if n := s.Stats().Accepted - before; n != many {
				t.Errorf("%s: %d connections for %d clients", name, n, many)
			}
			if n := questions.Load() - asked; n != 2 {
				t.Errorf("%s: dnsmasq was asked %d times by %d clients", name, n, many)
			}
		}
	})
}

// expect waits for events, in any order.
func expect(t *testing.T, events <-chan string, name string, want []string) {
	t.Helper()
	got := make([]string, len(want))
	patience := after(t)
	for i := range got {
		select {
		case got[i] = <-events:
		case <-patience:
			t.Fatalf("%s: %q and no more, want %d", name, got[:i], len(want))
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%s: %q", name, got)
	}
}

// What nobody can connect to is told with the reason, after each attempt. A name that was
// found is remembered, a failure is not.
func TestClientOfNamesThatLeadNowhere(t *testing.T) {
	need(t, "dnsmasq")
	server, stopped := testkit.FreeAddress(t), testkit.FreeAddress(t)
	records := slices.Concat(hosts("refused.test", "::1", "127.0.0.3"), hosts("silent.test", "127.0.0.4"), hosts("both.test", "127.0.0.3", "127.0.0.4"),
		[]string{"--txt-record=text.test,no address"})
	nameServer(t, server, records...)
	closed := port(t, testkit.FreeAddress(t))
	unanswered(t, "127.0.0.4:"+closed)
	dns := func(notFound bool) func(error) bool {
		return func(err error) bool {
			e, ok := errors.AsType[*net.DNSError](err)
			return ok && e.IsNotFound == notFound
		}
	}
	refused := func(err error) bool { return !dns(false)(err) && errors.Is(err, syscall.ECONNREFUSED) }
	late := func(err error) bool { return errors.Is(err, workerman.ErrConnectTimeout) }
	for _, c := range []struct {
		name, server string
		found        bool
		timeout      time.Duration
		is           func(error) bool
		text         []string
	}{
		{"unknown.test", server, false, 0, dns(true), []string{"lookup unknown.test", "no such host"}},
		{"text.test", server, false, 0, dns(true), []string{"lookup text.test", "no such host"}},
		{"elsewhere.example", server, false, 0, dns(false), []string{"lookup elsewhere.example", "server misbehaving"}},
		{"refused.test", stopped, false, 0, dns(false), []string{"lookup refused.test", "connection refused"}},
		{"refused.test", server, true, 0, refused, []string{"127.0.0.3:" + closed, "[::1]:" + closed}},
		{"silent.test", server, true, 200 * time.Millisecond, late, []string{"connect not done within"}},
		{"both.test", server, true, 200 * time.Millisecond, late, []string{"connect not done within"}},
	} {
		t.Run(c.name+" at "+map[string]string{server: "dnsmasq", stopped: "nobody"}[c.server], func(t *testing.T) {
			questions := askAt(t, c.server)
			engines(t, func(t *testing.T, portable bool) {
				m, w := clients(t, portable)
				asked := questions.Load()
				const attempts = 3
				cl := m.NewClient("text://" + c.name + ":" + closed)
				cl.Backoff = workerman.Backoff{Min: time.Millisecond, Max: time.Millisecond}
				cl.ConnectTimeout = c.timeout
				failures := make(chan error, attempts)
				n := 0
				cl.OnError = func(_ *workerman.Conn, err error) {
					if n++; n == attempts {
						cl.Close()
					}
					failures <- err
				}
				cl.OnConnect = func(*workerman.Conn) { t.Error("connected") }
				if err := cl.Connect(); err != nil {
					t.Fatal(err)
				}
				patience := after(t)
				for range attempts {
					select {
					case err := <-failures:
						if !c.is(err) {
							t.Errorf("%T %v", err, err)
						}
						for _, text := range c.text {
							if !strings.Contains(err.Error(), text) {
								t.Errorf("%v: no %q", err, text)
							}
						}
					case <-patience:
						t.Fatal("no error")
					}
				}
				if n := questions.Load() - asked; c.found && n != 2 || !c.found && n < 2*attempts {
					t.Errorf("%d questions in %d attempts", n, attempts)
				}
				if !c.found {
					answers := make(chan error, 1)
					new(httpclient.Client).Get(w, "http://"+c.name+":"+closed, func(_ *httpclient.Response, err error) { answers <- err })
					if err := <-answers; !c.is(err) {
						t.Errorf("httpclient: %T %v", err, err)
					}
				}
			})
		})
	}
}

// A client that was there before its name server connects when that comes.
func TestClientOutlivesItsNameServer(t *testing.T) {
	need(t, "dnsmasq")
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
		})
		server := testkit.FreeAddress(t)
		askAt(t, server)
		m, _ := clients(t, portable)
		failed, connected := make(chan error, 1), make(chan string, 10)
		cl := m.NewClient("text://late.test:" + port(t, s.address()))
		cl.Backoff = workerman.Backoff{Min: 5 * time.Millisecond, Max: 5 * time.Millisecond}
		cl.OnError = func(_ *workerman.Conn, err error) {
			select {
			case failed <- err:
			default:
			}
		}
		cl.OnConnect = func(c *workerman.Conn) { connected <- "connect" }
		cl.OnMessage = func(_ *workerman.Conn, data []byte) { connected <- string(data) }
		cl.Send([]byte("hello")) // waits for the name, too
		if err := cl.Connect(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-failed:
			if _, ok := errors.AsType[*net.DNSError](err); !ok {
				t.Errorf("%v", err)
			}
		case <-after(t):
			t.Fatal("no error without a name server")
		}
		names := nameServer(t, server, hosts("late.test", "127.0.0.1")...)
		expect(t, connected, "late.test", []string{"connect", "hello"})
		names.Stop()
		if err := cl.Send([]byte("still here")); err != nil {
			t.Error(err)
		}
		expect(t, connected, "late.test", []string{"still here"})
		cl.Close()
	})
}
