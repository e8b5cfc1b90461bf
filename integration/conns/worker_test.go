package conns

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

func TestConnectionTellsAboutItself(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		begin := time.Now().Add(-time.Second)
		check := func(c *workerman.Conn, open bool) error {
			tcp := k.Network == "tcp"
			switch {
			case c.ID() == 0, c.Worker() == nil, c.Transport() != k.Network:
				return fmt.Errorf("id %d, transport %s", c.ID(), c.Transport())
			case c.RemoteAddr().IsValid() != tcp, tcp && (c.RemoteIP().String() != "127.0.0.1" || c.RemotePort() == 0):
				return fmt.Errorf("remote %v", c.RemoteAddr())
			case c.LocalAddr().IsValid() != (tcp && open):
				return fmt.Errorf("local %v", c.LocalAddr())
			case c.Opened().Before(begin) || c.Opened().After(time.Now().Add(time.Second)):
				return fmt.Errorf("opened %v", c.Opened())
			case c.Connected() != open, c.Err() != nil:
				return fmt.Errorf("connected %v, err %v", c.Connected(), c.Err())
			}
			return nil
		}
		results := make(chan error, 1)
		stats := make(chan workerman.ConnStats, 1)
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				if err := check(c, true); err != nil {
					t.Error(err)
				}
				c.Send(data)
			}
			w.OnClose = func(c *workerman.Conn) {
				stats <- c.Stats()
				results <- check(c, false)
			}
		})
		c := dial(t, w)
		if !alive(c) {
			t.Fatal("not served")
		}
		c.Close()
		if err := receive(t, results, "OnClose"); err != nil {
			t.Errorf("after the close: %v", err)
		}
		if s := receive(t, stats, "the counters"); s != (workerman.ConnStats{BytesRead: 6, BytesWritten: 6, MessagesReceived: 1, MessagesSent: 1}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestConnectionsAndIDs(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "text", echo)
		conns := make([]net.Conn, 5)
		for i := range conns {
			if conns[i] = dial(t, w); !alive(conns[i]) {
				t.Fatal("not served")
			}
		}
		var ids []uint64
		for c := range w.Connections() {
			ids = append(ids, c.ID())
			if w.Connection(c.ID()) != c {
				t.Errorf("connection %d is not found", c.ID())
			}
		}
		slices.Sort(ids)
		if !slices.Equal(ids, []uint64{1, 2, 3, 4, 5}) || w.Connection(6) != nil {
			t.Errorf("ids %v", ids)
		}
		conns[0].Close()
		eventually(t, "it is gone", func() bool { return len(slices.Collect(w.Connections())) == 4 })
		if c := dial(t, w); !alive(c) || w.Connection(6) == nil {
			t.Error("the next id is not 6")
		}
	})
}

func TestCallbacksOfOneConnection(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				c.Send([]byte("the worker's"))
				if string(data) == "mine" {
					c.Callbacks().OnMessage = func(c *workerman.Conn, data []byte) { c.Send([]byte("its own")) }
				}
			}
		})
		own, other := dial(t, w), dial(t, w)
		for i, c := range []net.Conn{own, other} {
			io.WriteString(c, []string{"mine\nx\n", "x\nx\n"}[i])
			got := make([]string, 2)
			in := bufio.NewScanner(c)
			for j := range got {
				in.Scan()
				got[j] = in.Text()
			}
			want := []string{"the worker's", []string{"its own", "the worker's"}[i]}
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		}
	})
}

func TestPauseRecvKeepsMessages(t *testing.T) {
	for _, elsewhere := range []bool{false, true} {
		t.Run(fmt.Sprintf("resumed elsewhere=%v", elsewhere), func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				got := make(chan string, 100)
				paused := make(chan *workerman.Conn, 100)
				_, w := serve(t, k, "text", func(w *workerman.Worker) {
					w.OnMessage = func(c *workerman.Conn, data []byte) {
						got <- string(data)
						c.PauseRecv()
						paused <- c
					}
				})
				c := dial(t, w)
				io.WriteString(c, "1\n2\n3\n4\n5\n")
				c.(interface{ CloseWrite() error }).CloseWrite() // is noticed behind the messages
				for i := 1; i <= 5; i++ {
					if m := receive(t, got, "a message"); m != fmt.Sprint(i) {
						t.Fatalf("message %q, want %d", m, i)
					}
					conn := receive(t, paused, "the pause")
					flushed := make(chan struct{})
					w.Post(func() { close(flushed) })
					receive(t, flushed, "the loop")
					if len(got) > 0 {
						t.Fatal("a message while reading is paused")
					}
					if elsewhere {
						conn.ResumeRecv()
					} else {
						conn.Post(conn.ResumeRecv)
					}
				}
				if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
					t.Errorf("%q, %v", rest, err)
				}
			})
		})
	}
}

func TestPauseAcceptAndUnlisten(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnWorkerStart = func(w *workerman.Worker) error {
				w.PauseAccept()
				return nil
			}
			echo(w)
		})
		c := dial(t, w) // waits in the system's queue
		passed := make(chan struct{})
		w.Post(func() { w.Post(func() { close(passed) }) })
		receive(t, passed, "the loop")
		if n := w.Stats().Accepted; n != 0 {
			t.Errorf("%d accepted although accepting is paused", n)
		}
		w.ResumeAccept()
		if !alive(c) {
			t.Fatal("not served after ResumeAccept")
		}
		address := w.Addr()
		w.Unlisten()
		eventually(t, "nobody listens", func() bool {
			c, err := net.Dial(address.Network(), address.String())
			if err == nil {
				c.Close()
			}
			return err != nil
		})
		if w.Addr() != nil {
			t.Errorf("Addr is %v", w.Addr())
		}
		if !alive(c) {
			t.Error("Unlisten has closed a connection")
		}
	})
}

func TestInnerWorker(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		var inner *workerman.Worker
		stopped := make(chan string, 2)
		var again error
		service, w := workertest.ServeWith(t, k, "text", func(s *service, w *workerman.Worker) {
			address := k.Address(t, "text")
			w.OnWorkerStart = func(w *workerman.Worker) error {
				inner = s.Master.NewWorker(address)
				inner.Name = "inner"
				inner.OnWorkerStart = func(*workerman.Worker) error { t.Error("OnWorkerStart of an inner worker"); return nil }
				inner.OnWorkerStop = func(*workerman.Worker) { stopped <- "inner" }
				inner.OnMessage = func(c *workerman.Conn, data []byte) { w.Broadcast(data) }
				if err := inner.Listen(); err != nil {
					return err
				}
				again = inner.Listen()
				return nil
			}
			w.OnWorkerStop = func(*workerman.Worker) { stopped <- "outer" }
			echo(w)
		})
		if again == nil || !strings.Contains(again.Error(), "inner") || !strings.Contains(again.Error(), "listens already") {
			t.Errorf("a second Listen: %v", again)
		}
		client := dial(t, w)
		if !alive(client) {
			t.Fatal("not served")
		}
		pusher := dial(t, inner)
		io.WriteString(pusher, "pushed\n")
		if line, err := bufio.NewReader(client).ReadString('\n'); line != "pushed\n" {
			t.Errorf("%q, %v", line, err)
		}
		client.Close()
		pusher.Close()
		service.Stop()
		if a, b := receive(t, stopped, "OnWorkerStop"), receive(t, stopped, "OnWorkerStop"); a != "inner" || b != "outer" {
			t.Errorf("stopped %s, then %s", a, b)
		}
	})
}

func TestListenNeedsARunningMaster(t *testing.T) {
	m := new(workerman.Master)
	w := m.NewWorker("text://127.0.0.1:0")
	err := w.Listen()
	var start *workerman.StartError
	if !errors.Is(err, workerman.ErrNotRunning) || !errors.As(err, &start) || !strings.Contains(err.Error(), "text://127.0.0.1:0") {
		t.Errorf("%v", err)
	}
	// Before the start there is nobody, and asking does no harm.
	if n, err := w.Broadcast([]byte("x")); n != 0 || err != nil || w.Group("g").Count() != 0 || w.IsOnline("u") || w.Addr() != nil || w.Post(func() {}) || w.Stats() != (workerman.WorkerStats{}) {
		t.Error("a worker that has not started has something")
	}
}

func TestUnixSocketFile(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		k.Network = "unix"
		path := k.Address(t, "tcp")[len("unix://"):]
		stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		stale.SetUnlinkOnClose(false)
		stale.Close() // leaves the file that nobody listens on
		s := newService(t, k)
		w := s.NewWorker("text+unix://" + path)
		echo(w)
		s.Start()
		c := dial(t, w)
		if !alive(c) {
			t.Error("not served in place of a stale socket")
		}
		c.Close()
		s.Stop()
		if _, err := net.Dial("unix", path); err == nil || !strings.Contains(err.Error(), "no such file") {
			t.Errorf("the file stays: %v", err)
		}
	})
}
