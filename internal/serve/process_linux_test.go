package serve

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
	"github.com/workerman-go/workerman/internal/testkit"
)

// recorder is a Program and its Worker. It writes down what is asked of it.
type recorder struct {
	Program // nil: a process asks for the rest only at its start
	calls   chan string
}

func (r *recorder) Settings() Settings        { return Settings{DrainTimeout: 7 * time.Second} }
func (r *recorder) Name() string              { return "recorder" }
func (r *recorder) Recycle() Recycle          { return Recycle{} }
func (r *recorder) Stop()                     { r.calls <- "stop" }
func (r *recorder) StopListening()            { r.calls <- "stop listening" }
func (r *recorder) FreeAddresses()            { r.calls <- "free addresses" }
func (r *recorder) Connections() int          { return 3 }
func (r *recorder) OnReload() <-chan struct{} { r.calls <- "on reload"; return nil }
func (r *recorder) Inside() []control.Worker  { return []control.Worker{{Name: "inner"}} }
func (r *recorder) Figures() control.Figures  { return control.Figures{Requests: 42} }

func (r *recorder) Serve(context.Context, func(context.Context)) error { return nil }

func (r *recorder) WriteConnections(w io.Writer, f control.Filter) error {
	_, err := io.WriteString(w, "connections of "+f.Worker)
	return err
}

func (r *recorder) WriteStack(w io.Writer) error {
	_, err := io.WriteString(w, "a stack")
	return err
}

func (r *recorder) Drain(limit time.Duration, graceful bool, left func(int)) {
	text := "drain " + limit.String()
	if graceful {
		text += " gracefully"
	}
	left(2)
	r.calls <- text
}

func (r *recorder) HandOver(link *net.UnixConn, _ time.Time, progress func(moved, left int)) error {
	defer link.Close()
	progress(5, 1)
	r.calls <- "hand over"
	return nil
}

func (r *recorder) Adopt(link *net.UnixConn) error {
	defer link.Close()
	r.calls <- "adopt"
	return nil
}

// underTest is a process with its link, which it obeys, and the master's end of that.
func underTest(t *testing.T) (p *process, r *recorder, far *control.Link) {
	t.Helper()
	near, far := links(t)
	r = &recorder{calls: make(chan string, 16)}
	p = &process{
		program: r, worker: r, link: near, sockets: newSockets(near, "", nil), log: newLog(true), ready: make(chan struct{}),
	}
	var obeying sync.WaitGroup
	obeying.Go(p.obey)
	t.Cleanup(func() { near.Close(); obeying.Wait() })
	return p, r, far
}

// expect waits for calls, in this order.
func (r *recorder) expect(t *testing.T, calls ...string) {
	t.Helper()
	for _, want := range calls {
		if got := testkit.Receive(t, r.calls, "the call "+want); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// receive waits for a message of a process.
func receive(t *testing.T, far *control.Link, kind string) control.Message {
	t.Helper()
	m, _, err := far.Receive()
	if err != nil || m.Kind != kind {
		t.Fatalf("got %+v, %v, want a message %s", m, err, kind)
	}
	return m
}

func TestProcessObeysTheMaster(t *testing.T) {
	for _, test := range []struct {
		name    string
		message control.Message
		link    bool // a stream socket comes with it
		calls   []string
		answers []control.Message // kind, Moved and Left
	}{
		{"stop", control.Message{Kind: control.Stop}, false, []string{"stop"}, nil},
		{"graceful stop", control.Message{Kind: control.Stop, Graceful: true, Timeout: time.Minute}, false,
			[]string{"stop listening", "drain 1m0s gracefully", "stop"}, []control.Message{{Kind: control.Leaving, Left: 2}}},
		{"drain", control.Message{Kind: control.Drain, Timeout: time.Second}, false,
			[]string{"stop listening", "drain 1s", "stop"}, []control.Message{{Kind: control.Leaving, Left: 2}}},
		{"notice", control.Message{Kind: control.Notice}, false, []string{"on reload"}, nil},
		{"give", control.Message{Kind: control.Give, Timeout: time.Second}, true, []string{"stop listening", "on reload", "hand over"},
			[]control.Message{{Kind: control.Moving, Moved: 5, Left: 1}, {Kind: control.Given, Moved: 5, Left: 3}}},
		{"give without a link", control.Message{Kind: control.Give, Timeout: time.Second}, false, nil, []control.Message{{Kind: control.Given, Left: 3}}},
		{"take", control.Message{Kind: control.Take}, true, []string{"adopt"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, r, far := underTest(t)
			p.serving(t.Context())
			if m := receive(t, far, control.Up); len(m.Inside) != 1 || m.Inside[0].Name != "inner" {
				t.Errorf("inside: got %+v, want one worker", m.Inside)
			}
			var err error
			if test.link {
				mine, theirs, pairErr := control.StreamPair()
				if pairErr != nil {
					t.Fatal(pairErr)
				}
				defer mine.Close()
				defer theirs.Close()
				err = far.SendFile(test.message, theirs)
			} else {
				err = far.Send(test.message)
			}
			if err != nil {
				t.Fatal(err)
			}
			r.expect(t, test.calls...)
			for _, want := range test.answers {
				if got := receive(t, far, want.Kind); got.Moved != want.Moved || got.Left != want.Left {
					t.Errorf("%s: got %d moved and %d left, want %d and %d", want.Kind, got.Moved, got.Left, want.Moved, want.Left)
				}
			}
		})
	}
}

// A stop that comes before the worker serves ends it as soon as it does.
func TestStopBeforeTheProcessServes(t *testing.T) {
	p, r, far := underTest(t)
	far.Send(control.Message{Kind: control.Drain, Timeout: time.Minute})
	r.expect(t, "stop")
	p.serving(t.Context())
	r.expect(t, "stop")
}

// A process whose master is gone frees its addresses for another one, and ends.
func TestProcessWithoutAMaster(t *testing.T) {
	p, r, far := underTest(t)
	p.serving(t.Context())
	receive(t, far, control.Up)
	far.Close()
	r.expect(t, "free addresses", "stop listening", "drain 7s", "stop")
}

func TestQuestionsOfTheMaster(t *testing.T) {
	_, _, far := underTest(t)
	for _, test := range []struct{ what, query, want string }{
		{master.AskFigures, "", `"requests":42`},
		{master.AskConnections, `{"Worker":"chat"}`, "connections of chat"},
		{master.AskConnections, "no JSON", ""},
		{master.AskStack, "", "a stack"},
		{"of a later version", "", ""},
	} {
		answer, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		err = far.SendFile(control.Message{Kind: control.Ask, What: test.what, Query: test.query}, w)
		w.Close()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer) // until the process closes its end
		answer.Close()
		if err != nil || !strings.Contains(string(got), test.want) || test.want == "" && len(got) != 0 {
			t.Errorf("%s: got %q, %v, want %q", test.what, got, err, test.want)
		}
	}
}
