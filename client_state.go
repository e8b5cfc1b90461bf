package workerman

import "time"

// This file is the life of a Client as a state machine, without input and output: events go
// in, actions come out. client_life.go feeds it and does what it says.
//
// What the program wants (Connect, Reconnect, Close) comes in two events. The decision, from
// any goroutine, counts a generation and says at once what becomes of messages. It is carried
// out on the loop, and a decision to connect only if no other has followed. Everything else
// happens on the loop.

// clientPhase is what a client does.
type clientPhase uint8

const (
	phaseIdle    clientPhase = iota // nothing is under way; a decision to connect may be on its way
	phaseDialing                    // an attempt runs
	phaseWaiting                    // the pause before an attempt runs
	phaseOpen                       // there is a connection, which was not told to close
	phaseClosing                    // there is a connection, which was told to close
	phaseEnded                      // nothing is under way, and messages are refused
)

// clientSends is what becomes of a message that is sent now.
type clientSends uint8

const (
	sendsQueued  clientSends = iota // it waits for a connection
	sendsDirect                     // it goes to the connection, which exists
	sendsRefused                    // it is refused, and no message waits
)

// clientNext is what follows when a connection is gone or an attempt has failed. It is done
// after the callback, unless the program has decided by then.
type clientNext uint8

const (
	nextNothing   clientNext = iota
	nextReconnect            // connect after clientState.after, as Reconnect and Connect want it
	nextBackoff              // connect after a pause of Backoff
	nextForget               // the master may forget the client
)

// maxFailures is more failures in a row than any Backoff tells apart.
const maxFailures = 100

// clientState is the state of a client. The zero value is that of a new one.
type clientState struct {
	after      time.Duration // the pause of nextReconnect
	generation uint32        // counts the decisions; 0 before the first
	failures   uint8         // how many pauses of Backoff there were since the last connection
	phase      clientPhase
	sends      clientSends
	next       clientNext
}

// clientEventKind says what has happened.
type clientEventKind uint8

const (
	eventDecideConnect clientEventKind = iota // Connect or Reconnect was called
	eventDecideClose                          // Close was called, or the master stops
	eventNoLoop                               // a decision cannot be carried out: the loop has ended
	eventConnect                              // carry out a Connect
	eventReconnect                            // carry out a Reconnect
	eventClose                                // carry out a Close
	eventPauseOver                            // the pause before an attempt is over
	eventMasterStops                          // nothing may begin any more
	eventEstablished                          // the attempt has become a connection
	eventFlushed                              // all messages that waited are with the connection
	eventFailed                               // the attempt has failed; OnError follows
	eventLost                                 // the connection is gone; OnClose follows
	eventAfterEnd                             // OnError or OnClose has returned
)

// clientEvent is an event with what must be known about it.
type clientEvent struct {
	kind       clientEventKind
	generation uint32        // the number of the decision that is carried out
	after      time.Duration // the pause that a Reconnect asks for
	closing    bool          // on a Connect: the connection is closing by itself
	comesBack  bool          // on an end: Backoff is to connect again
}

// clientActionKind says what is to be done.
type clientActionKind uint8

const (
	actionPost    clientActionKind = iota // carry the decision out on the loop
	actionAbort                           // give up the attempt, or the pause before it, silently
	actionDial                            // begin an attempt
	actionWait                            // begin a pause of clientAction.after
	actionBackoff                         // begin a pause of Backoff after clientAction.failures
	actionClose                           // close the connection in good order
	actionForget                          // let the master forget the client
)

// clientAction is an action with what must be known to do it.
type clientAction struct {
	kind     clientActionKind
	after    time.Duration
	failures int
}

// transition returns the state behind an event and what is to be done, in this order.
func (s clientState) transition(ev clientEvent) (clientState, []clientAction) {
	switch ev.kind {
	case eventDecideConnect:
		return s.decideConnect()
	case eventDecideClose:
		return s.decideClose()
	case eventNoLoop, eventMasterStops:
		return s.cannotBegin(), nil
	case eventConnect:
		return s.connect(ev)
	case eventReconnect:
		return s.reconnect(ev)
	case eventClose:
		return s.close(ev)
	case eventPauseOver:
		return s.pauseOver()
	case eventEstablished:
		s.phase, s.failures = phaseOpen, 0
		return s, nil
	case eventFlushed:
		if s.phase == phaseOpen && s.sends == sendsQueued {
			s.sends = sendsDirect
		}
		return s, nil
	case eventFailed, eventLost:
		return s.ended(ev.comesBack), nil
	}
	return s.afterEnd()
}

// connected reports whether there is a connection.
func (s clientState) connected() bool { return s.phase == phaseOpen || s.phase == phaseClosing }

// isCurrent reports whether no decision has followed that of the event.
func (s clientState) isCurrent(ev clientEvent) bool { return ev.generation == s.generation }

// rest is the phase of a client with nothing under way.
func (s clientState) rest() clientPhase {
	if s.sends == sendsRefused {
		return phaseEnded
	}
	return phaseIdle
}

// resting reports whether nothing is under way.
func (s clientState) resting() bool { return s.phase == phaseIdle || s.phase == phaseEnded }

// accept lets messages wait, if they were refused.
func (s clientState) accept() clientState {
	if s.sends == sendsRefused {
		s.sends = sendsQueued
	}
	if s.resting() {
		s.phase = phaseIdle
	}
	return s
}

// refuse refuses messages from now on.
func (s clientState) refuse() clientState {
	s.sends = sendsRefused
	if s.resting() {
		s.phase = phaseEnded
	}
	return s
}

// decided counts a decision. It replaces what would follow an end that is being told by a
// callback; what follows the end of a connection that still exists is settled when the
// decision is carried out.
func (s clientState) decided() clientState {
	s.generation++
	if s.resting() {
		s.next = nextNothing
	}
	return s
}

func (s clientState) decideConnect() (clientState, []clientAction) {
	return s.decided().accept(), []clientAction{{kind: actionPost}}
}

func (s clientState) decideClose() (clientState, []clientAction) {
	fresh := s.generation == 0
	s = s.decided().refuse()
	if fresh {
		return s, nil // nothing has ever begun
	}
	return s, []clientAction{{kind: actionPost}}
}

// cannotBegin is the state when an attempt or a pause was to begin and cannot.
func (s clientState) cannotBegin() clientState {
	if !s.connected() {
		s.phase = phaseIdle
	}
	return s.refuse()
}

func (s clientState) connect(ev clientEvent) (clientState, []clientAction) {
	if !s.isCurrent(ev) {
		return s, nil
	}
	s = s.accept() // what there was when it was decided may have ended since
	switch s.phase {
	case phaseIdle:
		s.phase = phaseDialing
		return s, []clientAction{{kind: actionDial}}
	case phaseWaiting:
		s.phase = phaseDialing
		return s, []clientAction{{kind: actionAbort}, {kind: actionDial}}
	case phaseOpen:
		if !ev.closing {
			return s, nil
		}
		return s.reconnectAfterClose(0)
	case phaseClosing:
		return s.reconnectAfterClose(0)
	}
	return s, nil
}

func (s clientState) reconnect(ev clientEvent) (clientState, []clientAction) {
	if !s.isCurrent(ev) {
		return s, nil
	}
	s = s.accept()
	wait := clientAction{kind: actionWait, after: max(ev.after, 0)}
	switch s.phase {
	case phaseOpen, phaseClosing:
		return s.reconnectAfterClose(wait.after)
	case phaseDialing, phaseWaiting:
		s.phase = phaseWaiting
		return s, []clientAction{{kind: actionAbort}, wait}
	}
	s.phase = phaseWaiting
	return s, []clientAction{wait}
}

// reconnectAfterClose closes the connection and connects after a pause that begins when it
// has closed.
func (s clientState) reconnectAfterClose(after time.Duration) (clientState, []clientAction) {
	s.phase, s.next, s.after = phaseClosing, nextReconnect, after
	return s, []clientAction{{kind: actionClose}}
}

// close ends everything that is under way, also if another decision has followed: that one
// begins anew.
func (s clientState) close(ev clientEvent) (clientState, []clientAction) {
	if s.connected() {
		s.phase, s.next = phaseClosing, nextNothing
		return s, []clientAction{{kind: actionClose}}
	}
	var actions []clientAction
	if !s.resting() {
		s.phase = s.rest()
		actions = append(actions, clientAction{kind: actionAbort})
	}
	if s.isCurrent(ev) {
		actions = append(actions, clientAction{kind: actionForget})
	}
	return s, actions
}

func (s clientState) pauseOver() (clientState, []clientAction) {
	if s.sends == sendsRefused {
		s.phase = phaseEnded // a Close is about to be carried out
		return s, nil
	}
	s.phase = phaseDialing
	return s, []clientAction{{kind: actionDial}}
}

// ended is the state behind the end of an attempt or a connection, in which the callback
// finds the client.
func (s clientState) ended(comesBack bool) clientState {
	reconnect := s.next == nextReconnect
	s.phase = phaseIdle
	switch {
	case s.sends == sendsRefused, !reconnect && !comesBack:
		s.next = nextForget
		return s.refuse()
	case !reconnect:
		s.next = nextBackoff
	}
	s.sends = sendsQueued
	return s
}

// afterEnd does what follows an end, if the program has not decided otherwise.
func (s clientState) afterEnd() (clientState, []clientAction) {
	next := s.next
	s.next = nextNothing
	switch next {
	case nextReconnect:
		s.phase = phaseWaiting
		return s, []clientAction{{kind: actionWait, after: s.after}}
	case nextBackoff:
		action := clientAction{kind: actionBackoff, failures: int(s.failures)}
		s.phase, s.failures = phaseWaiting, min(s.failures+1, maxFailures)
		return s, []clientAction{action}
	case nextForget:
		return s, []clientAction{{kind: actionForget}}
	}
	return s, nil
}
