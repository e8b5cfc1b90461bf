package workerman

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// rows are the connections that a filter chooses, by their IDs.
func rows(t *testing.T, m *Master, f control.Filter) (list []control.Connection) {
	t.Helper()
	var out bytes.Buffer
	if err := m.writeConnections(&out, f); err != nil {
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
		conns := make(chan *Conn, 1)
		s, w := serve(t, k, "text", func(w *Worker) {
			echo(w)
			w.OnConnect = func(c *Conn) { conns <- c }
		})
		client := dial(t, w)
		c := receive(t, conns, "OnConnect")
		c.Bind("ann\tb")
		io.WriteString(client, "hello\nrest")
		answer := make([]byte, 6)
		if _, err := io.ReadFull(client, answer); err != nil {
			t.Fatal(err)
		}
		want := control.Connection{
			PID: os.Getpid(), Worker: "under-test", ID: c.ID(), Transport: k.network, Protocol: "text", State: "established",
			Received: 4, BytesIn: 10, BytesOut: 6, Local: w.Addr().String(), Remote: "unix", User: "ann?b",
		}
		if k.network == "tcp" {
			want.Remote = client.LocalAddr().String()
		}
		// The rest may come in a burst of its own, and counts at its end.
		var got control.Connection
		eventually(t, "the row is as it should be", func() bool {
			list := rows(t, s.master, control.Filter{})
			if len(list) != 1 {
				t.Fatalf("%d rows", len(list))
			}
			got = list[0]
			if got.Age < 0 || got.Idle < 0 || got.Idle > patience.Milliseconds() || got.Age > patience.Milliseconds() {
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
	s, w := serve(t, kind{network: "tcp"}, "websocket", echo)
	cl := clientOf(s, w, "ws")
	cl.Name = "bridge"
	told := make(happened, 8)
	told.watch(cl)
	connect(t, cl)
	told.expect(t, "connect")
	list := rows(t, s.master, control.Filter{Worker: "bridge"})
	if len(list) != 1 || !list[0].Outgoing || list[0].Protocol != "websocket" || list[0].Remote != w.Addr().String() || list[0].Local == "" {
		t.Errorf("%+v", list)
	}
	if list := rows(t, s.master, control.Filter{Worker: "under-test"}); len(list) != 1 || list[0].Outgoing || list[0].Protocol != "websocket" {
		t.Errorf("%+v", list)
	}
	cl.Close()
	told.expect(t, "close <nil>")
}

// header1 is how a proxy announces a client.
const header1 = "PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n"

func TestStatesOfConnections(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		conns := make(chan *Conn, 1)
		s, w := serve(t, k, "tcp", func(w *Worker) {
			w.OnConnect = func(c *Conn) { conns <- c }
			w.ProxyProtocol = true
		})
		state := func(want string) {
			t.Helper()
			eventually(t, want, func() bool {
				list := rows(t, s.master, control.Filter{})
				return len(list) == 1 && list[0].State == want
			})
		}
		client := dial(t, w)
		state("handshake")
		io.WriteString(client, header1)
		c := receive(t, conns, "OnConnect")
		state("established")
		if r := rows(t, s.master, control.Filter{Peer: "203.0.113."}); len(r) != 1 || r[0].Remote != "203.0.113.7:4711" {
			t.Errorf("%+v", r)
		}
		c.PauseRecv()
		state("paused")
		c.ResumeRecv()
		state("established")
		for c.Send(make([]byte, 64<<10)) == nil { // until the peer's buffers are full, and more
		}
		if r := rows(t, s.master, control.Filter{Queued: 1}); len(r) != 1 || r[0].Queued < DefaultMaxSendBuffer {
			t.Errorf("%+v", r)
		}
		c.Close()
		state("closing")
		io.Copy(io.Discard, client)
		client.Close()
		eventually(t, "no row", func() bool { return len(rows(t, s.master, control.Filter{})) == 0 })
	})
}

func TestConnectionsAreChosen(t *testing.T) {
	s := newTestService(t, kind{})
	a, b := s.master.NewWorker("tcp://0.0.0.0:0"), s.master.NewWorker("https://127.0.0.1:0")
	a.Name, b.Name = "a", "b"
	files := newAuthority(t, "authority").files(t, "a.test")
	b.TLS.CertFile, b.TLS.KeyFile = files.CertFile, files.KeyFile
	arrived := make(chan *Conn, 10)
	a.OnConnect = func(c *Conn) { arrived <- c }
	s.start()
	for range 3 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", a.Addr().(*net.TCPAddr).Port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		receive(t, arrived, "OnConnect")
	}
	dial(t, b)
	eventually(t, "all are there", func() bool { return len(rows(t, s.master, control.Filter{})) == 4 })
	for _, test := range []struct {
		filter control.Filter
		want   int
	}{
		{control.Filter{Worker: "a"}, 3}, {control.Filter{Worker: "none"}, 0}, {control.Filter{Limit: 2}, 2},
		{control.Filter{PID: os.Getpid()}, 4}, {control.Filter{PID: 1}, 0}, {control.Filter{Peer: "127.0.0.1:"}, 4},
		{control.Filter{Peer: "10."}, 0}, {control.Filter{State: "handshake"}, 1}, {control.Filter{Idle: 1 << 40}, 0},
		{control.Filter{Queued: 1}, 0}, {control.Filter{Worker: "a", State: "established", Limit: 1}, 1},
	} {
		if n := len(rows(t, s.master, test.filter)); n != test.want {
			t.Errorf("%+v: %d rows, want %d", test.filter, n, test.want)
		}
	}
	if r := rows(t, s.master, control.Filter{Worker: "b"})[0]; r.Transport != "ssl" || r.Protocol != "http" {
		t.Errorf("%+v", r)
	}
	if r := rows(t, s.master, control.Filter{Worker: "a"})[0]; !strings.HasPrefix(r.Local, "127.0.0.1:") {
		t.Errorf("the address of a worker on all addresses: %+v", r)
	}
	broken := errors.New("broken")
	if err := s.master.writeConnections(failingWriter{broken}, control.Filter{}); err != broken {
		t.Errorf("%v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// A callback that blocks with its connection locked, which only an encoder can, holds nobody up.
func TestConnectionsOfABlockedEncoder(t *testing.T) {
	release, blocked := make(chan struct{}), make(chan struct{})
	s, w := serve(t, kind{network: "tcp"}, "tcp", func(w *Worker) {
		w.Protocol = stuckEncoder{textProtocol{}, blocked, release}
		w.OnConnect = func(c *Conn) { c.Send([]byte("x")) }
	})
	dial(t, w)
	receive(t, blocked, "Encode")
	list := rows(t, s.master, control.Filter{})
	if len(list) != 1 || list[0].Protocol != "workerman.stuckEncoder" {
		t.Errorf("%+v", list)
	}
	close(release)
}

type stuckEncoder struct {
	Protocol
	blocked, release chan struct{}
}

func (p stuckEncoder) Encode(c *Conn, dst, data []byte) ([]byte, error) {
	close(p.blocked)
	<-p.release
	return p.Protocol.Encode(c, dst, data)
}

// BenchmarkConnections lists 100 000 connections: copies of an open one, each in memory of its
// own, on a worker that knows its address and on one that has to ask for it.
//
//	go test -run xxx -bench Connections .
func BenchmarkConnections(b *testing.B) {
	for _, host := range []string{"127.0.0.1", "0.0.0.0"} {
		b.Run(host, func(b *testing.B) {
			m := &Master{Logger: discardLogger()}
			w := m.NewWorker("text://" + host + ":0")
			conns := make(chan *Conn, 1)
			w.OnConnect = func(c *Conn) { conns <- c }
			addr := make(chan net.Addr, 1)
			w.OnWorkerStart = func(w *Worker) error {
				addr <- w.Addr()
				return nil
			}
			done := make(chan error, 1)
			go func() { done <- m.Run(b.Context()) }()
			client, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", (<-addr).(*net.TCPAddr).Port))
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			c, s := <-conns, w.runningServer()
			s.mu.Lock()
			for i := range 100_000 {
				twin := new(Conn)
				reflect.ValueOf(twin).Elem().Set(reflect.ValueOf(c).Elem())
				twin.id, twin.remote.port = uint64(2+i), uint16(i)
				s.conns[twin.id] = twin
			}
			s.mu.Unlock()
			b.ReportAllocs()
			for b.Loop() {
				if err := m.writeConnections(io.Discard, control.Filter{}); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			s.mu.Lock()
			clear(s.conns)
			s.conns[c.id] = c
			s.mu.Unlock()
			m.StopAll()
			if err := <-done; err != nil {
				b.Error(err)
			}
		})
	}
}

func TestFiguresAddUp(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		const conns, messages = 4, 200
		s := newTestService(t, k)
		outer := s.master.NewWorker("tcp://127.0.0.1:0")
		var inner *Worker
		outer.OnWorkerStart = func(*Worker) error {
			inner = s.master.NewWorker("text://127.0.0.1:0")
			inner.Loops = 2
			inner.MaxConnections = conns
			echo(inner)
			return inner.Listen()
		}
		outer.Loops = 2
		outer.OnMessage = func(*Conn, []byte) { panic("in a callback") }
		s.start()
		timers := []*Timer{s.master.AddTimer(time.Hour, func() {}), s.master.After(time.Hour, func() {})}
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
			for s.master.figures().Requests < conns*messages {
			}
		}()
		traffic.Wait()
		receive(t, asked, "the figures of all requests")
		io.Copy(io.Discard, dial(t, inner)) // one too many
		panicking := dial(t, outer)
		io.WriteString(panicking, "x")
		io.Copy(io.Discard, panicking)
		client := clientOf(s, outer, "tcp")
		told := make(happened, 8)
		told.watch(client)
		connect(t, client)
		told.expect(t, "connect")
		eventually(t, "the one that panicked is gone", func() bool {
			f := s.master.figures()
			return f.Accepted == conns+2 && f.Connections == conns+1
		})
		f := s.master.figures()
		if f.Outgoing != 1 || f.Accepted != conns+2 || f.Refused != 1 || f.Requests != conns*messages+1 || f.Panics != 1 || f.Timers != 2 {
			t.Errorf("%+v", f)
		}
		if f.Memory < 1<<20 || f.CPU <= 0 || f.Goroutines < 4 || len(f.Loops) != 2 || f.Loops[0].Streams+f.Loops[1].Streams != conns+2 {
			t.Errorf("%+v", f)
		}
		for _, timer := range timers {
			timer.Stop()
		}
		if n := s.master.figures().Timers; n != 0 {
			t.Errorf("%d timers", n)
		}
	})
}

func TestFiguresWithoutARun(t *testing.T) {
	m := new(Master)
	if f := m.figures(); f.Connections != 0 || f.Rate != 0 || f.Loops == nil || len(f.Loops) != 0 {
		t.Errorf("%+v", f)
	}
	if r := rows(t, m, control.Filter{}); len(r) != 0 {
		t.Errorf("%+v", r)
	}
	var stacks strings.Builder
	if err := m.writeStack(&stacks); err != nil || stacks.Len() == 0 {
		t.Errorf("got the stacks %q and %v, want some", stacks.String(), err)
	}
}
