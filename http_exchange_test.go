package workerman

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// exchangeEvents are the steps of an exchange as the table below names them. Each returns
// what the caller learns.
var exchangeEvents = map[string]func(s *exchangeState) string{
	"begin":        func(s *exchangeState) string { return fmt.Sprint(s.begin(false, false)) },
	"begin unread": func(s *exchangeState) string { return fmt.Sprint(s.begin(true, false)) },
	"begin called": func(s *exchangeState) string { return fmt.Sprint(s.begin(false, true)) },
	"enter 1":      func(s *exchangeState) string { return fmt.Sprint(s.enterCallback(1)) },
	"leave":        func(s *exchangeState) string { s.leaveCallback(); return "" },
	"claim mine":   func(s *exchangeState) string { return claimed(s.claim(callbackRequest, false)) },
	"claim 1":      func(s *exchangeState) string { return claimed(s.claim(1, false)) },
	"claim 2":      func(s *exchangeState) string { return claimed(s.claim(2, false)) },
	"claim events": func(s *exchangeState) string { return claimed(s.claim(1, true)) },
	"finish":       func(s *exchangeState) string { return facts(s.finish()) },
	"hold":         func(s *exchangeState) string { return fmt.Sprint(s.holdInput()) },
	"body":         func(s *exchangeState) string { return facts(s.bodyComplete()) },
	"last":         func(s *exchangeState) string { return facts(s.markLast()) },
	"hijack":       func(s *exchangeState) string { s.hijack(); return "" },
}

func claimed(before exchangeBits, ok bool) string {
	if !ok {
		return "no"
	}
	return "from " + facts(before)
}

// facts names a state: its number and its flags.
func facts(b exchangeBits) string {
	words := []string{fmt.Sprint(b.number())}
	for _, f := range []struct {
		has  bool
		name string
	}{
		{b.pending(), "pending"}, {b.claimed(), "claimed"}, {b.held(), "held"}, {b&closeUnreadBody != 0, "unread"},
		{b.last(), "last"}, {b.events(), "events"}, {b.hijacked(), "hijacked"}, {b.is(callbackRequest), "called"},
	} {
		if f.has {
			words = append(words, f.name)
		}
	}
	return strings.Join(words, " ")
}

// parseFacts is the opposite of facts.
func parseFacts(t *testing.T, text string) (b exchangeBits) {
	flags := map[string]exchangeBits{
		"pending": requestPending, "claimed": requestClaimed, "held": inputHeld, "unread": closeUnreadBody,
		"last": lastExchange, "events": eventStream, "hijacked": takenOver, "called": callbackRunning,
	}
	var number exchangeBits
	words := strings.Fields(text)
	fmt.Sscan(words[0], &number)
	b = number * requestNumberUnit
	for _, w := range words[1:] {
		b |= flags[w]
	}
	if facts(b) != text {
		t.Fatalf("the table says %q, which reads as %q", text, facts(b))
	}
	return b
}

func TestHTTPExchangeTransitions(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []struct{ from, event, to, result string }{
		{"0", "begin", "1 pending", "1"},
		{"0", "begin unread", "1 pending unread", "1"},
		{"1", "begin", "2 pending", "2"},
		{"1 unread", "begin", "2 pending", "2"}, // of the request before
		{"7 last", "begin", "8 pending last", "8"},

		{"0", "begin called", "1 pending called", "1"},
		{"1 last", "begin called", "2 pending last called", "2"},

		{"1 pending", "enter 1", "1 pending called", "true"},
		{"1 pending called", "enter 1", "1 pending called", "false"}, // it is entered already
		{"1 claimed", "enter 1", "1 claimed", "false"},
		{"1", "enter 1", "1", "false"},
		{"2 pending", "enter 1", "2 pending", "false"},
		{"1 pending called", "leave", "1 pending", ""},
		{"1 claimed called", "leave", "1 claimed", ""}, // the answer is a stream
		{"1", "leave", "1", ""},                        // it was answered in the callback
		{"2 pending", "leave", "2 pending", ""},        // and the next one is there already

		{"0", "claim mine", "0", "no"},
		{"1", "claim mine", "1", "no"},
		{"1 pending", "claim mine", "1 pending", "no"}, // the callback has returned
		{"1 claimed called", "claim mine", "1 claimed called", "no"},
		{"1 pending called", "claim mine", "1 claimed called", "from 1 pending called"},
		{"1 pending called", "claim 1", "1 claimed called", "from 1 pending called"},
		{"2 pending called", "claim 1", "2 pending called", "no"},
		{"1", "claim 1", "1", "no"},
		{"1 pending", "claim 1", "1 claimed", "from 1 pending"},
		{"1 pending", "claim 2", "1 pending", "no"},
		{"2 pending", "claim 1", "2 pending", "no"},
		{"1 claimed", "claim 1", "1 claimed", "no"},
		{"1 pending held unread last", "claim 1", "1 claimed held unread last", "from 1 pending held unread last"},
		{"1 pending", "claim events", "1 claimed events", "from 1 pending"},
		{"2 pending", "claim events", "2 pending", "no"},

		{"1 claimed", "finish", "1", "1 claimed"},
		{"1 claimed held", "finish", "1", "1 claimed held"},
		{"1 claimed events", "finish", "1", "1 claimed events"},
		{"1 claimed called", "finish", "1", "1 claimed called"},
		{"1 claimed unread last", "finish", "1 unread last", "1 claimed unread last"},

		{"1 pending", "hold", "1 pending held", "true"},
		{"1 claimed events", "hold", "1 claimed held events", "true"},
		{"1", "hold", "1", "false"},
		{"1 last", "hold", "1 last", "false"},

		{"1 pending unread", "body", "1 pending", "1 pending unread"},
		{"1 pending", "body", "1 pending", "1 pending"},
		{"1 claimed held unread", "body", "1 claimed held", "1 claimed held unread"},

		{"0", "last", "0 last", "0"},
		{"1 pending", "last", "1 pending last", "1 pending"},
		{"1 claimed events", "last", "1 claimed last events", "1 claimed events"},
		{"1 last", "last", "1 last", "1 last"},

		{"1 claimed", "hijack", "1 claimed hijacked", ""},
		{"1 claimed hijacked", "last", "1 claimed last hijacked", "1 claimed hijacked"},
		{"1 claimed hijacked", "hold", "1 claimed held hijacked", "true"},
	} {
		seen[c.event] = true
		var s exchangeState
		s.word.Store(uint64(parseFacts(t, c.from)))
		result := exchangeEvents[c.event](&s)
		if got := facts(s.load()); got != c.to || result != c.result {
			t.Errorf("%q, %s: got %q and %q, want %q and %q", c.from, c.event, got, result, c.to, c.result)
		}
	}
	for event := range exchangeEvents {
		if !seen[event] {
			t.Errorf("the table has no case of %q", event)
		}
	}
}

// exchangeModel is an exchange without atomic operations, in words.
type exchangeModel struct {
	number                                                         uint64
	pending, claimed, held, unread, last, events, hijacked, called bool
}

func (m *exchangeModel) String() string {
	b := exchangeBits(m.number) * requestNumberUnit
	for flag, has := range map[exchangeBits]bool{
		requestPending: m.pending, requestClaimed: m.claimed, inputHeld: m.held, closeUnreadBody: m.unread,
		lastExchange: m.last, eventStream: m.events, takenOver: m.hijacked, callbackRunning: m.called,
	} {
		if has {
			b |= flag
		}
	}
	return facts(b)
}

func (m *exchangeModel) claim(number uint64, events bool) {
	if m.pending && (number == m.number || number == callbackRequest && m.called) {
		m.pending, m.claimed, m.events = false, true, m.events || events
	}
}

// step does what an event does. It reports false if the event cannot come now: a request
// begins when the one before is over, an answer ends when it was claimed.
func (m *exchangeModel) step(event string) bool {
	switch active := m.pending || m.claimed; event {
	case "begin", "begin unread", "begin called":
		if active || m.hijacked {
			return false
		}
		m.number, m.pending, m.unread = m.number+1, true, event == "begin unread"
		m.called = event == "begin called"
	case "enter 1":
		m.called = m.called || m.pending && m.number == 1
	case "leave":
		m.called = false
	case "claim mine":
		m.claim(callbackRequest, false)
	case "claim 1":
		m.claim(1, false)
	case "claim 2":
		m.claim(2, false)
	case "claim events":
		m.claim(1, true)
	case "finish":
		if !m.claimed || m.hijacked {
			return false
		}
		m.claimed, m.held, m.events, m.called = false, false, false, false
	case "hold":
		m.held = m.held || active
	case "body":
		m.unread = false
	case "last":
		m.last = true
	case "hijack":
		if !m.claimed {
			return false
		}
		m.hijacked = true
	}
	return true
}

func TestHTTPExchangeDoesWhatItsModelDoes(t *testing.T) {
	var events []string
	for event := range exchangeEvents {
		events = append(events, event)
	}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		var s exchangeState
		var model exchangeModel
		var way []string
		for range 60 {
			event := events[random.IntN(len(events))]
			if event == "hijack" && random.IntN(10) > 0 || !model.step(event) {
				continue
			}
			way = append(way, event)
			exchangeEvents[event](&s)
			if got, want := facts(s.load()), model.String(); got != want {
				t.Fatalf("seed %d, %q: got %q, want %q", seed, way, got, want)
			}
		}
	}
}

// Of many that answer at the same time one wins, and only by the right number; whoever marks
// or holds meanwhile loses nothing.
func TestHTTPExchangeIsClaimedOnce(t *testing.T) {
	var s exchangeState
	for round := range uint64(300) {
		number := s.begin(false, round%2 == 0)
		if number != round+1 {
			t.Fatalf("got the number %d, want %d", number, round+1)
		}
		var winners, late atomic.Int32
		var everybody sync.WaitGroup
		for i := range 8 {
			everybody.Go(func() {
				means := number
				if i < 3 {
					means = callbackRequest
				}
				if _, ok := s.claim(means, i%2 == 0); ok {
					winners.Add(1)
				}
				if number == 1 {
					return // there is no request before
				}
				if _, ok := s.claim(number-1, false); ok {
					late.Add(1)
				}
			})
		}
		everybody.Go(func() { s.markLast() })
		everybody.Go(func() { s.holdInput() })
		everybody.Wait()
		before := s.finish()
		if winners.Load() != 1 || late.Load() != 0 {
			t.Fatalf("got %d winners and %d with an old number, want 1 and 0", winners.Load(), late.Load())
		}
		if !before.claimed() || before.pending() || !before.held() || !before.last() {
			t.Fatalf("got %q before the end, want it claimed, held and last", facts(before))
		}
	}
}
