package loop

import (
	"math/rand/v2"
	"testing"

	"github.com/workerman-go/workerman/internal/poll"
)

type testReceiver struct{ id int }

func (*testReceiver) ready(poll.Events) {}

func TestTableStaleTokenFindsNobody(t *testing.T) {
	var table table
	old := table.add(&testReceiver{1})
	table.remove(old)
	if table.find(old) != nil {
		t.Error("a removed receiver is found")
	}
	second := &testReceiver{2}
	fresh := table.add(second)
	if fresh.Index != old.Index || fresh.Gen == old.Gen {
		t.Errorf("the entry %v was used again as %v: want the same index and a new generation", old, fresh)
	}
	table.remove(old) // stale: must not touch the new one
	if table.find(old) != nil || table.find(fresh) != receiver(second) {
		t.Error("the old token reached the new receiver")
	}
}

func TestTableUnknownTokens(t *testing.T) {
	var table table
	for _, token := range []poll.Token{{}, {Index: 5}, {Index: ^uint32(0), Gen: ^uint32(0)}} {
		if table.find(token) != nil {
			t.Errorf("an empty table finds %v", token)
		}
		table.remove(token)
	}
	token := table.add(&testReceiver{})
	table.remove(token)
	token.Gen++ // the generation that the next user of the entry will have
	if table.find(token) != nil {
		t.Error("a free entry is found")
	}
	table.remove(token)
	if a, b := table.add(&testReceiver{}), table.add(&testReceiver{}); a.Index == b.Index {
		t.Error("one entry was given to two receivers")
	}
}

func TestTableAgainstModel(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 3))
		var table table
		live := make(map[poll.Token]*testReceiver)
		stale := make(map[poll.Token]bool)
		highest := 0
		for id := range 6000 {
			if r.IntN(100) < 60 {
				receiver := &testReceiver{id}
				token := table.add(receiver)
				if live[token] != nil || stale[token] {
					t.Fatalf("token %v was given out twice", token)
				}
				live[token] = receiver
				highest = max(highest, len(live))
			} else {
				for token := range live {
					table.remove(token)
					delete(live, token)
					stale[token] = true
					break
				}
			}
			for token, want := range live {
				if table.find(token) != receiver(want) {
					t.Fatalf("token %v finds another receiver", token)
				}
				break
			}
			for token := range stale {
				if table.find(token) != nil {
					t.Fatalf("stale token %v resolves", token)
				}
				break
			}
		}
		for token, want := range live {
			if table.find(token) != receiver(want) {
				t.Fatalf("token %v finds another receiver at the end", token)
			}
		}
		for token := range stale {
			if table.find(token) != nil {
				t.Fatalf("stale token %v resolves at the end", token)
			}
		}
		if int(table.next) != highest {
			t.Errorf("%d entries for at most %d receivers at a time", table.next, highest)
		}
	}
}
