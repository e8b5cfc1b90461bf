package workerman

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/handover"
)

// TestStages goes through every pair of stages: those that may follow each other, and those that
// are a mistake of this package.
func TestStages(t *testing.T) {
	names := map[stage]string{
		stageAccepted: "accepted", stageProxyHeader: "PROXY header", stageTLS: "TLS", stageHandshake: "WebSocket",
		stageReady: "ready", stageRefused: "refused", stageConnecting: "connecting",
	}
	want := map[string][]string{
		"accepted":     {"PROXY header", "TLS", "WebSocket", "ready", "connecting"},
		"PROXY header": {"TLS", "WebSocket", "ready"},
		"TLS":          {"WebSocket", "ready", "refused"},
		"WebSocket":    {"ready"},
		"connecting":   {"ready"},
	}
	if len(follows) != len(names) {
		t.Fatalf("%d stages have followers, want %d", len(follows), len(names))
	}
	for from, name := range names {
		for to, next := range names {
			c := new(Conn)
			c.at.Store(uint32(from))
			went := func() (ok bool) {
				defer func() { ok = recover() == nil }()
				c.enter(to)
				return
			}()
			if allowed := slices.Contains(want[name], next); went != allowed {
				t.Errorf("from %s to %s: went is %v, want %v", name, next, went, allowed)
			}
			if at := c.stage(); went && at != to || !went && at != from {
				t.Errorf("from %s to %s: the stage is %s", name, next, names[at])
			}
		}
	}
}

func TestConnectionTimersDieWithIt(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		kinds(t, func(t *testing.T, k kind) {
			var ran atomic.Int64
			closed := make(chan *Conn, 1)
			s, w := serve(t, k, "tcp", func(w *Worker) {
				w.Blocking = blocking
				w.OnConnect = func(c *Conn) {
					c.Every(time.Millisecond, func() { ran.Add(1) })
					c.After(time.Hour, func() {})
				}
				w.OnClose = func(c *Conn) { closed <- c }
			})
			c := dial(t, w)
			eventually(t, "it ticks", func() bool { return ran.Load() >= 3 })
			c.Close()
			dead := receive(t, closed, "OnClose")
			if l := w.runningServer().loops[0]; l.Timers() != 0 {
				t.Errorf("%d timers are left", l.Timers())
			}
			if late := dead.After(0, func() { ran.Store(-1000) }); late.Stop() {
				t.Error("a timer of a closed connection could be stopped")
			}
			n := ran.Load()
			done := make(chan struct{})
			s.master.After(10*time.Millisecond, func() { close(done) })
			receive(t, done, "a later timer")
			if ran.Load() != n {
				t.Error("a timer of a closed connection runs")
			}
		})
	}
}

func TestLoopsShareConnections(t *testing.T) {
	for _, reusePort := range []bool{false, true} {
		kinds(t, func(t *testing.T, k kind) {
			_, w := serve(t, k, "text", func(w *Worker) {
				w.Loops, w.ReusePort = 3, reusePort
				w.OnConnect = func(c *Conn) { c.Data = new(int) }
				w.OnMessage = func(c *Conn, data []byte) {
					n := c.Data.(*int) // the race detector watches that a connection is serial
					*n++
					c.Send(fmt.Append(nil, *n))
				}
			})
			conns := make([]net.Conn, 30)
			for i := range conns {
				conns[i] = dial(t, w)
			}
			for i, c := range conns {
				io.WriteString(c, "a\nb\nc\n")
				in := bufio.NewScanner(c)
				for want := 1; want <= 3; want++ {
					if !in.Scan() || in.Text() != fmt.Sprint(want) {
						t.Fatalf("connection %d: %q, want %d", i, in.Text(), want)
					}
				}
			}
			s := w.runningServer()
			if len(s.loops) != 3 {
				t.Fatalf("%d loops", len(s.loops))
			}
			for i := range s.assigned {
				if n := s.assigned[i].Load(); !reusePort && (n < 10-loopSlack || n > 10+loopSlack) {
					t.Errorf("loop %d has %d of 30 connections", i, n)
				}
			}
			for _, c := range conns {
				c.Close()
			}
			eventually(t, "all are gone", func() bool {
				return s.assigned[0].Load()+s.assigned[1].Load()+s.assigned[2].Load() == 0 && w.Stats().Connections == 0
			})
		})
	}
}

// relay starts a worker that pipes each pair of connections both ways, across loops.
func relay(t *testing.T, k kind) *Worker {
	waiting := make(chan *Conn, 1)
	_, w := serve(t, k, "tcp", func(w *Worker) {
		w.Loops = 2
		w.MaxSendBuffer = 128 << 10
		w.OnConnect = func(c *Conn) {
			c.PauseRecv()
			select {
			case first := <-waiting:
				c.Pipe(first)
				first.Pipe(c)
				first.ResumeRecv()
				c.ResumeRecv()
			default:
				waiting <- c
			}
		}
	})
	return w
}

func TestPipeHoldsLittle(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		w := relay(t, k)
		a := dial(t, w)
		eventually(t, "the first is there", func() bool { return w.Stats().Connections == 1 })
		b := dial(t, w)
		const size = 32 << 20
		go a.Write(numbered(1, size))
		most := 0
		eventually(t, "the source is paused", func() bool {
			paused := false
			for c := range w.Connections() {
				most = max(most, c.Stats().SendQueue)
				paused = paused || c.stream.Paused()
			}
			return paused
		})
		if limit := 128<<10 + 64<<10*17; most > limit { // the limit and what one event reads
			t.Errorf("%d bytes wait, the limit is 128 KiB", most)
		}
		got := make([]byte, size)
		if n, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, numbered(1, size)) {
			t.Fatalf("%d bytes, %v", n, err)
		}
	})
}

// TestDialogTypes checks the table of dialogs: each language that a worker's connections may speak
// is one that a dialog restores, and each scheme and alias leads to the dialog that has it.
func TestDialogTypes(t *testing.T) {
	languages := make(map[handover.Language]int)
	for _, d := range dialogTypes {
		languages[d.language]++
		if d.restore == nil {
			t.Errorf("%v: got no restore", d.schemes)
		}
	}
	for kind, d := range dialogTypes {
		for _, language := range d.languages {
			if languages[language] != 1 {
				t.Errorf("%v: got %d dialogs of language %d, want 1", d.schemes, languages[language], language)
			}
		}
		for _, scheme := range slices.Concat(d.schemes, d.secure) {
			e, err := parseAddress(scheme+"://127.0.0.1:80", "")
			if secure := slices.Contains(d.secure, scheme); err != nil || e.dialog != dialogKind(kind) || e.secure != secure {
				t.Errorf("%s: got dialog %d, secure %v, %v, want %d, %v", scheme, e.dialog, e.secure, err, kind, secure)
			}
		}
	}
}
