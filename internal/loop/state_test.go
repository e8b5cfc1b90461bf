package loop

import (
	"fmt"
	"testing"
	"unsafe"
)

var allStates = []state{stateOpen, stateClosing, stateEnding, stateClosed, stateDetached}

func (s state) String() string {
	return [...]string{"open", "closing", "ending", "closed", "detached"}[s]
}

// Each transition leads from the states of its row to one state, and leaves all others alone.
func TestLifeOfAStream(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(*life) bool
		from []state
		to   state
	}{
		{"startClosing", (*life).startClosing, []state{stateOpen}, stateClosing},
		{"startEnding", (*life).startEnding, []state{stateClosing}, stateEnding},
		{"shut", (*life).shut, []state{stateOpen, stateClosing, stateEnding}, stateClosed},
		{"detach", (*life).detach, []state{stateOpen}, stateDetached},
		{"reattach", (*life).reattach, []state{stateDetached}, stateOpen},
		{"release", (*life).release, []state{stateDetached}, stateClosed},
	} {
		for _, before := range allStates {
			want, allowed := before, false
			for _, from := range test.from {
				if before == from {
					want, allowed = test.to, true
				}
			}
			t.Run(fmt.Sprintf("%s/%v", test.name, before), func(t *testing.T) {
				var l life
				l.at.Store(uint32(before))
				if done := test.do(&l); done != allowed || l.state() != want {
					t.Errorf("got %v and the state %v, want %v and %v", done, l.state(), allowed, want)
				}
			})
		}
	}
}

// A stream that was never attached is open, and has its place on the loop in every state but two.
func TestStateOfAStream(t *testing.T) {
	var s Stream
	if !s.isOpen() {
		t.Errorf("a new stream is %v, want open", s.life.state())
	}
	for _, at := range allStates {
		s.life.at.Store(uint32(at))
		want := at == stateOpen || at == stateClosing || at == stateEnding
		if got := s.life.onLoop(); got != want {
			t.Errorf("onLoop of a stream that is %v: got %v, want %v", at, got, want)
		}
	}
}

// What a stream costs is most of what an idle connection costs.
func TestSizeOfAStream(t *testing.T) {
	const want = 176
	if got := unsafe.Sizeof(Stream{}); unsafe.Sizeof(uintptr(0)) == 8 && got > want {
		t.Errorf("got a Stream of %d bytes, want at most %d", got, want)
	}
}
