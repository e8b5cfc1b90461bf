package workerman_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/console"
	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// rows are the connections that a filter chooses, by their IDs.
func rows(t *testing.T, m *workerman.Master, f control.Filter) (list []control.Connection) {
	t.Helper()
	var out bytes.Buffer
	if err := m.WriteConnections(&out, f); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		c, ok := control.ParseConnection(strings.TrimSuffix(line, "\n"))
		if !ok {
			t.Fatalf("no row: %q", line)
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b control.Connection) int { return int(a.ID) - int(b.ID) })
	return list
}

func TestConnectionsAreListed(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		conns := make(chan *workerman.Conn, 1)
		s, w := serve(t, k, "text", func(w *workerman.Worker) {
			echo(w)
			w.OnConnect = func(c *workerman.Conn) { conns <- c }
		})
		client := dial(t, w)
		c := testkit.Receive(t, conns, "OnConnect")
		c.Bind("ann\tb")
		io.WriteString(client, "hello\nrest")
		answer := make([]byte, 6)
		if _, err := io.ReadFull(client, answer); err != nil {
			t.Fatal(err)
		}
		want := control.Connection{
			PID: os.Getpid(), Worker: "under-test", ID: c.ID(), Transport: k.Network, Protocol: "text", State: "established",
			Received: 4, BytesIn: 10, BytesOut: 6, Local: w.Addr().String(), Remote: "unix", User: "ann?b",
		}
		if k.Network == "tcp" {
			want.Remote = client.LocalAddr().String()
		}
		// The rest may come in a burst of its own, and counts at its end.
		var got control.Connection
		eventually(t, "the row is as it should be", func() bool {
			list := rows(t, s.Master, control.Filter{})
			if len(list) != 1 {
				t.Fatalf("%d rows", len(list))
			}
			got = list[0]
			if got.Age < 0 || got.Idle < 0 || got.Idle > testkit.Patience.Milliseconds() || got.Age > testkit.Patience.Milliseconds() {
				t.Fatalf("age %d, idle %d", got.Age, got.Idle)
			}
			got.Age, got.Idle = 0, 0
			return got.Received == 4 && got.BytesIn == 10
		})
		if got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestConnectionsOfClientsAreListed(t *testing.T) {
	s, w := serve(t, kind{Network: "tcp"}, "websocket", echo)
	cl := clientOf(s, w, "ws")
	cl.Name = "bridge"
	told := make(happened, 8)
	told.Watch(cl)
	connect(t, cl)
	told.Expect(t, "connect")
	list := rows(t, s.Master, control.Filter{Worker: "bridge"})
	if len(list) != 1 || !list[0].Outgoing || list[0].Protocol != "websocket" || list[0].Remote != w.Addr().String() || list[0].Local == "" {
		t.Errorf("%+v", list)
	}
	if list := rows(t, s.Master, control.Filter{Worker: "under-test"}); len(list) != 1 || list[0].Outgoing || list[0].Protocol != "websocket" {
		t.Errorf("%+v", list)
	}
	cl.Close()
	told.Expect(t, "close <nil>")
}

// header1 is how a proxy announces a client.
const header1 = "PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n"

func TestStatesOfConnections(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		conns := make(chan *workerman.Conn, 1)
		s, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.OnConnect = func(c *workerman.Conn) { conns <- c }
			w.ProxyProtocol = true
		})
		state := func(want string) {
			t.Helper()
			eventually(t, want, func() bool {
				list := rows(t, s.Master, control.Filter{})
				return len(list) == 1 && list[0].State == want
			})
		}
		client := dial(t, w)
		state("handshake")
		io.WriteString(client, header1)
		c := testkit.Receive(t, conns, "OnConnect")
		state("established")
		if r := rows(t, s.Master, control.Filter{Peer: "203.0.113."}); len(r) != 1 || r[0].Remote != "203.0.113.7:4711" {
			t.Errorf("%+v", r)
		}
		c.PauseRecv()
		state("paused")
		c.ResumeRecv()
		state("established")
		for c.Send(make([]byte, 64<<10)) == nil { // until the peer's buffers are full, and more
		}
		if r := rows(t, s.Master, control.Filter{Queued: 1}); len(r) != 1 || r[0].Queued < workerman.DefaultMaxSendBuffer {
			t.Errorf("%+v", r)
		}
		c.Close()
		state("closing")
		io.Copy(io.Discard, client)
		client.Close()
		eventually(t, "no row", func() bool { return len(rows(t, s.Master, control.Filter{})) == 0 })
	})
}

func TestConnectionsAreChosen(t *testing.T) {
	s := newService(t, kind{})
	a, b := s.NewWorker("tcp://0.0.0.0:0"), s.NewWorker("https://127.0.0.1:0")
	a.Name, b.Name = "a", "b"
	files := workertest.Files(t, testkit.NewAuthority("authority"), "a.test")
	b.TLS.CertFile, b.TLS.KeyFile = files.CertFile, files.KeyFile
	arrived := make(chan *workerman.Conn, 10)
	a.OnConnect = func(c *workerman.Conn) { arrived <- c }
	s.Start()
	for range 3 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", a.Addr().(*net.TCPAddr).Port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		testkit.Receive(t, arrived, "OnConnect")
	}
	dial(t, b)
	eventually(t, "all are there", func() bool { return len(rows(t, s.Master, control.Filter{})) == 4 })
	for _, test := range []struct {
		filter control.Filter
		want   int
	}{
		{control.Filter{Worker: "a"}, 3}, {control.Filter{Worker: "none"}, 0}, {control.Filter{Limit: 2}, 2},
		{control.Filter{PID: os.Getpid()}, 4}, {control.Filter{PID: 1}, 0}, {control.Filter{Peer: "127.0.0.1:"}, 4},
		{control.Filter{Peer: "10."}, 0}, {control.Filter{State: "handshake"}, 1}, {control.Filter{Idle: 1 << 40}, 0},
		{control.Filter{Queued: 1}, 0}, {control.Filter{Worker: "a", State: "established", Limit: 1}, 1},
	} {
		if n := len(rows(t, s.Master, test.filter)); n != test.want {
			t.Errorf("%+v: %d rows, want %d", test.filter, n, test.want)
		}
	}
	if r := rows(t, s.Master, control.Filter{Worker: "b"})[0]; r.Transport != "ssl" || r.Protocol != "http" {
		t.Errorf("%+v", r)
	}
	if r := rows(t, s.Master, control.Filter{Worker: "a"})[0]; !strings.HasPrefix(r.Local, "127.0.0.1:") {
		t.Errorf("the address of a worker on all addresses: %+v", r)
	}
	broken := errors.New("broken")
	if err := s.Master.WriteConnections(failingWriter{broken}, control.Filter{}); err != broken {
		t.Errorf("%v", err)
	}
}

// A callback that blocks with its connection locked, which only an encoder can, holds nobody up.
func TestConnectionsOfABlockedEncoder(t *testing.T) {
	release, blocked := make(chan struct{}), make(chan struct{})
	s, w := serve(t, kind{Network: "tcp"}, "tcp", func(w *workerman.Worker) {
		w.Protocol = stuckEncoder{workerman.TextProtocol{}, blocked, release}
		w.OnConnect = func(c *workerman.Conn) { c.Send([]byte("x")) }
	})
	dial(t, w)
	testkit.Receive(t, blocked, "Encode")
	list := rows(t, s.Master, control.Filter{})
	if len(list) != 1 || list[0].Protocol != "workerman_test.stuckEncoder" {
		t.Errorf("%+v", list)
	}
	close(release)
}

type stuckEncoder struct {
	workerman.Protocol
	blocked, release chan struct{}
}

func (p stuckEncoder) Encode(c *workerman.Conn, dst, data []byte) ([]byte, error) {
	close(p.blocked)
	<-p.release
	return p.Protocol.Encode(c, dst, data)
}

func TestFiguresAddUp(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		const conns, messages = 4, 200
		s := newService(t, k)
		outer := s.NewWorker("tcp://127.0.0.1:0")
		var inner *workerman.Worker
		outer.OnWorkerStart = func(*workerman.Worker) error {
			inner = s.Master.NewWorker("text://127.0.0.1:0")
			inner.Loops = 2
			inner.MaxConnections = conns
			echo(inner)
			return inner.Listen()
		}
		outer.Loops = 2
		outer.OnMessage = func(*workerman.Conn, []byte) { panic("in a callback") }
		s.Start()
		timers := []*workerman.Timer{s.Master.AddTimer(time.Hour, func() {}), s.Master.After(time.Hour, func() {})}
		var traffic sync.WaitGroup
		for range conns {
			c := dial(t, inner)
			traffic.Go(func() {
				answer := make([]byte, 6)
				for range messages {
					io.WriteString(c, "hello\n")
					if _, err := io.ReadFull(c, answer); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		asked := make(chan struct{})
		go func() { // the figures are asked for all the while, for the race detector
			defer close(asked)
			for s.Master.Figures().Requests < conns*messages {
			}
		}()
		traffic.Wait()
		testkit.Receive(t, asked, "the figures of all requests")
		io.Copy(io.Discard, dial(t, inner)) // one too many
		panicking := dial(t, outer)
		io.WriteString(panicking, "x")
		io.Copy(io.Discard, panicking)
		client := clientOf(s, outer, "tcp")
		told := make(happened, 8)
		told.Watch(client)
		connect(t, client)
		told.Expect(t, "connect")
		eventually(t, "the one that panicked is gone", func() bool {
			f := s.Master.Figures()
			return f.Accepted == conns+2 && f.Connections == conns+1
		})
		f := s.Master.Figures()
		if f.Outgoing != 1 || f.Accepted != conns+2 || f.Refused != 1 || f.Requests != conns*messages+1 || f.Panics != 1 || f.Timers != 2 {
			t.Errorf("%+v", f)
		}
		if f.Memory < 1<<20 || f.CPU <= 0 || f.Goroutines < 4 || len(f.Loops) != 2 || f.Loops[0].Streams+f.Loops[1].Streams != conns+2 {
			t.Errorf("%+v", f)
		}
		for _, timer := range timers {
			timer.Stop()
		}
		if n := s.Master.Figures().Timers; n != 0 {
			t.Errorf("%d timers", n)
		}
	})
}

func TestFiguresWithoutARun(t *testing.T) {
	m := new(workerman.Master)
	if f := m.Figures(); f.Connections != 0 || f.Rate != 0 || f.Loops == nil || len(f.Loops) != 0 {
		t.Errorf("%+v", f)
	}
	if r := rows(t, m, control.Filter{}); len(r) != 0 {
		t.Errorf("%+v", r)
	}
	var stacks strings.Builder
	if err := m.WriteStack(&stacks); err != nil || stacks.Len() == 0 {
		t.Errorf("got the stacks %q and %v, want some", stacks.String(), err)
	}
}

func TestBanner(t *testing.T) {
	s := newService(t, kind{Network: "tcp"})
	a, b := s.NewWorker("text://127.0.0.1:0"), s.NewWorker("udp://127.0.0.1:0")
	a.Name, a.Loops = "a-rather-long-name", 2
	s.NewWorker("")
	s.Start()
	if n := len(s.Log.Lines("worker started")); n != 3 {
		t.Errorf("%d lines about the start:\n%s", n, s.Log)
	}
	var out bytes.Buffer
	console.Banner(&out, control.Status{Workers: workerman.StartedRows([]*workerman.Worker{a, b})}, console.Look{})
	lines := strings.Split(out.String(), "\n")
	if strings.Contains(out.String(), "\x1b") {
		t.Error("colours where none are wanted")
	}
	head, first, second := lines[3], lines[4], lines[5]
	for _, column := range []string{"worker", "listen", "processes", "loops", "state"} {
		at := strings.Index(head, column)
		for _, row := range []string{first, second} {
			if at < 1 || row[at] == ' ' || row[at-1] != ' ' {
				t.Errorf("column %s is not aligned:\n%s", column, out.String())
			}
		}
	}
	for _, word := range []string{"a-rather-long-name", "none", "text://" + a.Addr().String(), "udp://" + b.Addr().String(), "[OK]", "Press Ctrl+C"} {
		if !strings.Contains(out.String(), word) {
			t.Errorf("no %q in\n%s", word, out.String())
		}
	}
}
