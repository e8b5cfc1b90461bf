package loop

import "sync/atomic"

// state is where a stream is in its life.
//
//	          startClosing           startEnding          shut
//	   open ───────────────> closing ───────────> ending ──────> closed
//	   │  ^ │                   └────────── shut ────────────────> ^ ^
//	   │  │ └───────────────────────────── shut ──────────────────┘ │
//	detach reattach                                                 │
//	   v  │                                                         │
//	 detached ─────────────────────── release ──────────────────────┘
type state uint32

const (
	stateOpen     state = iota
	stateClosing        // what was sent is still being written; sends are refused
	stateEnding         // the end of the stream was sent; the peer is to take everything
	stateClosed         // the socket is gone; Owner.Closed has been or is about to be called
	stateDetached       // off its loop, on the way to another process: see Detach
)

// life is the state of a stream and the transitions that there are. Each of them reports
// whether the state allowed it and changes nothing otherwise. They are made with Stream.mu
// held; everybody may read the state.
type life struct{ at atomic.Uint32 }

func (l *life) state() state { return state(l.at.Load()) }

func (l *life) startClosing() bool { return l.move(stateOpen, stateClosing) }
func (l *life) startEnding() bool  { return l.move(stateClosing, stateEnding) }
func (l *life) detach() bool       { return l.move(stateOpen, stateDetached) }
func (l *life) reattach() bool     { return l.move(stateDetached, stateOpen) }
func (l *life) release() bool      { return l.move(stateDetached, stateClosed) }

// shut is the end of every stream that has its place on a loop.
func (l *life) shut() bool {
	from := l.state()
	return from != stateDetached && from != stateClosed && l.move(from, stateClosed)
}

func (l *life) move(from, to state) bool {
	return l.at.CompareAndSwap(uint32(from), uint32(to))
}

// onLoop reports whether the stream has its place on the loop.
func (l *life) onLoop() bool {
	state := l.state()
	return state != stateClosed && state != stateDetached
}
