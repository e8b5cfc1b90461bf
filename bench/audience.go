package main

import (
	"maps"
	"slices"
	"sync"
)

// audience is who gets a broadcast, for the engines that leave it to their users
// to know.
type audience[C comparable] struct {
	mu      sync.Mutex
	members map[C]struct{}
}

func newAudience[C comparable]() *audience[C] { return &audience[C]{members: map[C]struct{}{}} }

func (a *audience[C]) join(c C) {
	a.mu.Lock()
	a.members[c] = struct{}{}
	a.mu.Unlock()
}

func (a *audience[C]) leave(c C) {
	a.mu.Lock()
	delete(a.members, c)
	a.mu.Unlock()
}

// each calls send for everyone who is there now, without the lock.
func (a *audience[C]) each(send func(C)) {
	a.mu.Lock()
	all := slices.AppendSeq(make([]C, 0, len(a.members)), maps.Keys(a.members))
	a.mu.Unlock()
	for _, c := range all {
		send(c)
	}
}
