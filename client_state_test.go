package workerman

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The stories of testdata/client are events with what the state machine makes of them:
//
//	# a comment
//	connect 1
//	  dialing, queued, generation 1 | dial
//
// An event may have words behind it: the number of the decision that is carried out, a
// duration, "closing", "comes back". An empty line begins with another client. -update-client
// writes what the machine says now.
var updateStories = flag.Bool("update-client", false, "write the stories of testdata/client")

var clientEventNames = []string{
	eventDecideConnect: "decide to connect", eventDecideClose: "decide to close", eventNoLoop: "no loop",
	eventConnect: "connect", eventReconnect: "reconnect", eventClose: "close",
	eventPauseOver: "pause over", eventMasterStops: "master stops", eventEstablished: "established",
	eventFlushed: "flushed", eventFailed: "failed", eventLost: "lost", eventAfterEnd: "after end",
}

// parseClientEvent reads a line of a story.
func parseClientEvent(line string) (ev clientEvent, err error) {
	found := false
	for kind, name := range clientEventNames {
		if rest, ok := strings.CutPrefix(line, name); ok && (rest == "" || rest[0] == ' ') {
			ev.kind, line, found = clientEventKind(kind), strings.TrimSpace(rest), true
			break
		}
	}
	if !found {
		return ev, fmt.Errorf("unknown event %q", line)
	}
	switch line {
	case "comes back":
		ev.comesBack = true
		return ev, nil
	}
	for _, word := range strings.Fields(line) {
		if n, err := strconv.ParseUint(word, 10, 32); err == nil {
			ev.generation = uint32(n)
		} else if d, err := time.ParseDuration(word); err == nil {
			ev.after = d
		} else if word == "closing" {
			ev.closing = true
		} else {
			return ev, fmt.Errorf("unknown word %q", word)
		}
	}
	return ev, nil
}

func (p clientPhase) String() string {
	return [...]string{"idle", "dialing", "waiting", "open", "closing", "ended"}[p]
}

func (s clientSends) String() string { return [...]string{"queued", "direct", "refused"}[s] }

func (s clientState) String() string {
	text := fmt.Sprintf("%v, %v, generation %d", s.phase, s.sends, s.generation)
	if s.failures > 0 {
		text += fmt.Sprintf(", failures %d", s.failures)
	}
	switch s.next {
	case nextReconnect:
		text += fmt.Sprintf(", next: connect after %v", s.after)
	case nextBackoff:
		text += ", next: backoff"
	case nextForget:
		text += ", next: forget"
	}
	return text
}

func (a clientAction) String() string {
	switch a.kind {
	case actionWait:
		return fmt.Sprintf("wait %v", a.after)
	case actionBackoff:
		return fmt.Sprintf("backoff %d", a.failures)
	}
	return map[clientActionKind]string{
		actionPost: "post", actionAbort: "abort", actionDial: "dial", actionClose: "close", actionForget: "forget",
	}[a.kind]
}

// outcome is the line beneath an event.
func clientOutcome(s clientState, actions []clientAction) string {
	line := "  " + s.String()
	var list []string
	for _, a := range actions {
		list = append(list, a.String())
	}
	if len(list) > 0 {
		line += " | " + strings.Join(list, ", ")
	}
	return line
}

func TestClientStories(t *testing.T) {
	files, err := filepath.Glob("testdata/client/*.txt")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d stories, %v, want at least 5", len(files), err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tellClientStory(want)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if *updateStories {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%swant\n%s", file, got, want)
		}
	}
}

// tellClientStory runs the events of a story and returns it with what the machine says.
func tellClientStory(story []byte) ([]byte, error) {
	var out bytes.Buffer
	var s clientState
	for lines := bufio.NewScanner(bytes.NewReader(story)); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "  ") {
			continue // an outcome
		}
		fmt.Fprintln(&out, line)
		switch {
		case line == "":
			s = clientState{} // another client
		case line[0] != '#':
			ev, err := parseClientEvent(line)
			if err != nil {
				return nil, err
			}
			var actions []clientAction
			s, actions = s.transition(ev)
			fmt.Fprintln(&out, clientOutcome(s, actions))
		}
	}
	return out.Bytes(), nil
}

// clientWorld plays what is around the state machine of one client, and checks that the
// actions fit what there is.
type clientWorld struct {
	state      clientState
	posted     []clientEvent
	attempt    bool
	timer      bool
	conn       bool
	closing    bool // the connection was told to close or closes by itself
	registered bool
	stopping   bool
	backoff    bool
	decision   clientEventKind // the last one, to carry out
	callback   bool            // OnError or OnClose is running
	decided    bool            // the program has decided in the callback
	trace      []string
}

// handle gives the machine an event and does what it says; the error is an action that does
// not fit.
func (w *clientWorld) handle(ev clientEvent) (err error) {
	var actions []clientAction
	w.state, actions = w.state.transition(ev)
	w.trace = append(w.trace, clientEventNames[ev.kind]+clientOutcome(w.state, actions))
	for _, a := range actions {
		switch a.kind {
		case actionPost: // the caller does it
		case actionAbort:
			if !w.attempt && !w.timer {
				return fmt.Errorf("there is nothing to abort")
			}
			w.attempt, w.timer = false, false
		case actionDial, actionWait, actionBackoff:
			if w.attempt || w.timer || w.conn {
				return fmt.Errorf("%v beside attempt %v, timer %v, connection %v", a, w.attempt, w.timer, w.conn)
			}
			if w.callback && w.decided {
				return fmt.Errorf("%v although the program has decided in the callback", a)
			}
			if w.stopping {
				return w.handle(clientEvent{kind: eventMasterStops})
			}
			w.registered = true
			w.attempt, w.timer = a.kind == actionDial, a.kind != actionDial
		case actionClose:
			if !w.conn {
				return fmt.Errorf("there is no connection to close")
			}
			w.closing = true
		case actionForget:
			if w.attempt || w.timer || w.conn {
				return fmt.Errorf("forgotten beside attempt %v, timer %v, connection %v", w.attempt, w.timer, w.conn)
			}
			w.registered = false
		}
	}
	return nil
}

// check compares the state with what there is.
func (w *clientWorld) check() error {
	s := w.state
	switch {
	case s.connected() != w.conn:
		return fmt.Errorf("connection %v", w.conn)
	case (s.phase == phaseDialing) != w.attempt:
		return fmt.Errorf("attempt %v", w.attempt)
	case (s.phase == phaseWaiting) != w.timer:
		return fmt.Errorf("timer %v", w.timer)
	case s.sends == sendsDirect && !w.conn:
		return fmt.Errorf("messages go to a connection that is not there")
	case (s.phase == phaseEnded) != (s.resting() && s.sends == sendsRefused):
		return fmt.Errorf("ended does not mean that messages are refused")
	case s.phase == phaseClosing && !w.closing:
		return fmt.Errorf("closing a connection that was not told to")
	case !s.resting() && !w.registered:
		return fmt.Errorf("the master does not know the client")
	}
	return nil
}

// decide plays a call from any goroutine.
func (w *clientWorld) decide(kind clientEventKind, after time.Duration) error {
	before, how := len(w.trace), eventDecideConnect
	if kind == eventClose {
		how = eventDecideClose
	}
	fresh := w.state.generation == 0
	if err := w.handle(clientEvent{kind: how}); err != nil {
		return err
	}
	w.decision, w.decided = kind, true
	if post := strings.HasSuffix(w.trace[before], "| post"); post != (kind != eventClose || !fresh) {
		return fmt.Errorf("posted: %v", post)
	} else if post {
		w.posted = append(w.posted, clientEvent{kind: kind, generation: w.state.generation, after: after})
	}
	return nil
}

// end plays the end of an attempt or a connection, with a callback in which the program may
// decide.
func (w *clientWorld) end(kind clientEventKind, r *rand.Rand) error {
	refused, next := w.state.sends == sendsRefused, w.state.next
	w.attempt, w.conn, w.closing = false, false, false
	comesBack := w.backoff && !w.stopping && r.IntN(4) > 0
	if err := w.handle(clientEvent{kind: kind, comesBack: comesBack}); err != nil {
		return err
	}
	if comes := w.state.sends != sendsRefused; comes != (!refused && (comesBack || next == nextReconnect)) {
		return fmt.Errorf("comes back: %v", comes)
	}
	w.callback, w.decided = true, false
	if r.IntN(3) == 0 {
		if err := w.decide(anyDecision(r), 0); err != nil {
			return err
		}
	}
	err := w.handle(clientEvent{kind: eventAfterEnd})
	w.callback = false
	return err
}

func anyDecision(r *rand.Rand) clientEventKind {
	return []clientEventKind{eventConnect, eventReconnect, eventClose}[r.IntN(3)]
}

// carryOut plays the next function that was posted.
func (w *clientWorld) carryOut() error {
	ev := w.posted[0]
	w.posted = w.posted[1:]
	ev.closing = ev.kind == eventConnect && w.closing
	return w.handle(ev)
}

// step plays one thing that can happen now.
func (w *clientWorld) step(r *rand.Rand) error {
	switch r.IntN(8) {
	case 0:
		return w.decide(anyDecision(r), time.Duration(r.IntN(3)-1))
	case 1, 2:
		if len(w.posted) > 0 {
			return w.carryOut()
		}
	case 3:
		if w.attempt {
			return w.end(eventFailed, r)
		}
	case 4:
		if w.attempt {
			w.attempt, w.conn = false, true
			return w.handle(clientEvent{kind: eventEstablished})
		}
		if w.conn && !w.closing {
			return w.handle(clientEvent{kind: eventFlushed})
		}
	case 5:
		if w.conn {
			return w.end(eventLost, r)
		}
	case 6:
		w.closing = w.closing || w.conn && r.IntN(4) == 0 // by the peer
	case 7:
		if w.timer {
			w.timer = false
			return w.handle(clientEvent{kind: eventPauseOver})
		}
	}
	return nil
}

// settle lets everything come to its end without new decisions.
func (w *clientWorld) settle(r *rand.Rand) (err error) {
	w.backoff = false
	for range 20 {
		switch {
		case err != nil:
			return err
		case len(w.posted) > 0:
			err = w.carryOut()
		case w.conn && w.closing:
			w.conn, w.closing = false, false
			if err = w.handle(clientEvent{kind: eventLost}); err == nil {
				err = w.handle(clientEvent{kind: eventAfterEnd})
			}
		}
	}
	return err
}

// Whatever happens in whatever order: there is never more than one thing under way, the
// state says what there is, a decision in a callback wins over Backoff, and Close ends
// everything.
func TestClientStateHoldsWhateverHappens(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := &clientWorld{backoff: seed%2 == 0}
		fail := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("seed %d: %v, behind\n%s", seed, err, strings.Join(w.trace, "\n"))
			}
		}
		for range 60 {
			fail(w.step(r))
			fail(w.check())
		}
		w.stopping = seed%8 == 0
		if err := w.decide(eventClose, 0); err != nil {
			fail(err)
		}
		fail(w.settle(r))
		fail(w.check())
		if w.state.phase != phaseEnded || w.registered || w.attempt || w.timer || w.conn {
			fail(fmt.Errorf("after Close the client is %v, registered %v", w.state.phase, w.registered))
		}
		if !w.stopping {
			fail(w.decide(eventConnect, 0))
			fail(w.settle(r))
			if w.state.phase != phaseDialing {
				fail(fmt.Errorf("after Connect the client is %v", w.state.phase))
			}
		}
	}
}
