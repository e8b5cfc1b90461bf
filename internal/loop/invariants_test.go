//go:build race

package loop

import (
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/poll"
)

// violates reports a test's failure unless fn panics with this text.
func violates(t *testing.T, want string, fn func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got, _ := recover().(string); !strings.Contains(got, want) {
			t.Errorf("got the panic %q, want %q", got, want)
		}
	}()
	fn()
}

// offLoop is a stream without a socket, on a loop that does not run.
func offLoop() *Stream {
	l := new(Loop)
	l.corkQ.cork = &l.cork
	return &Stream{loop: l, interest: uint8(poll.Readable)}
}

func TestTransactionAfterItsEnd(t *testing.T) {
	ends := map[string]func(Tx){
		"Abort":       Tx.Abort,
		"CommitClose": Tx.CommitClose,
		"Commit":      func(tx Tx) { tx.Commit(noLimit) },
		"CommitLater": func(tx Tx) { tx.CommitLater(noLimit) },
	}
	steps := map[string]func(Tx){
		"Queued":   func(tx Tx) { tx.Queued() },
		"Bursting": func(tx Tx) { tx.Bursting() },
		"Reserve":  func(tx Tx) { tx.Reserve(1) },
		"Append":   func(tx Tx) { tx.Append([]byte("a")) },
		"Share":    func(tx Tx) { tx.Share([]byte("a")) },
		"Write":    func(tx Tx) { tx.Write(nil, []byte("a"), nil) },
		"SendFile": func(tx Tx) { tx.SendFile(nil, 0, 1) },
		"Flush":    func(tx Tx) { tx.Flush() },
	}
	for end, do := range ends {
		for step, again := range steps {
			t.Run(step+" after "+end, func(t *testing.T) {
				tx, ok := offLoop().Begin()
				if !ok {
					t.Fatal("Begin refused to send")
				}
				do(tx)
				violates(t, "after its end", func() { again(tx) })
			})
		}
		for second, again := range ends {
			t.Run(second+" after "+end, func(t *testing.T) {
				s := offLoop()
				tx, _ := s.Begin()
				do(tx)
				violates(t, "after its end", func() { again(tx) })
				if !s.mu.TryLock() {
					t.Error("the stream is still locked")
				}
			})
		}
	}
}

func TestAnswersOfReceive(t *testing.T) {
	for _, good := range [][3]int{{10, 10, 0}, {10, 0, 0}, {10, 0, 11}, {10, 4, 7}, {0, 0, 1}} {
		checkReceived(good[0], good[1], good[2])
	}
	for _, bad := range []struct {
		n, used, want int
		text          string
	}{
		{10, 11, 0, "used 11 of 10"},
		{10, -1, 0, "used -1 of 10"},
		{10, 0, 10, "wants a message of 10 bytes and has left 10"},
		{10, 4, 6, "wants a message of 6 bytes and has left 6"},
		{10, 10, -1, "wants a message of -1"},
	} {
		violates(t, bad.text, func() { checkReceived(bad.n, bad.used, bad.want) })
	}
}

func TestOneBurstAtATime(t *testing.T) {
	first := offLoop()
	second := &Stream{loop: first.loop}
	first.beginBurst()
	violates(t, "in the middle of another", second.beginBurst)
}

func TestSomebodyWritesWhatIsQueued(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Stream)
		want   string // the panic, "" for none
	}{
		"nothing queued":   {func(*Stream) {}, ""},
		"queued":           {func(*Stream) {}, "nobody will write the 1 bytes"},
		"queued, in burst": {func(s *Stream) { s.bursting = true }, ""},
		"queued, listed":   {func(s *Stream) { s.listed = true }, ""},
		"queued, waiting":  {func(s *Stream) { s.output.waiting = true }, "nobody will write"},
		"queued, watched": {func(s *Stream) {
			s.output.waiting = true
			s.interest = uint8(poll.Writable)
		}, ""},
		"queued, failed":   {func(s *Stream) { s.setFailure(ErrDestroyed) }, ""},
		"queued, detached": {func(s *Stream) { s.life.detach() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := offLoop()
			if name != "nothing queued" {
				s.queue().append([]byte("x"))
			}
			test.change(s)
			if test.want == "" {
				s.checkSettles()
				return
			}
			violates(t, test.want, s.checkSettles)
		})
	}
}

func TestTheClockOfACloseIsItsOwn(t *testing.T) {
	s := offLoop()
	s.closing = &closing{lingering: true}
	s.life.startClosing()
	violates(t, "waits for its close", func() { s.SetDeadline(1) })
}
