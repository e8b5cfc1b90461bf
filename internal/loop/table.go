package loop

import "github.com/workerman-go/workerman/internal/poll"

// receiver is what events are for.
type receiver interface{ ready(poll.Events) }

// table maps tokens to receivers. Entries are reused with a new generation, so an
// event that was on its way when its receiver closed reaches nobody else. Pages never
// move and are filled one after the other; only the loop touches the table.
type table struct {
	pages [][]entry
	free  []uint32
	next  uint32
}

type entry struct {
	receiver receiver
	gen      uint32
}

const pageSize = 1024

func (t *table) at(index uint32) *entry { return &t.pages[index/pageSize][index%pageSize] }

// add enters r and returns its token.
func (t *table) add(r receiver) poll.Token {
	var index uint32
	if n := len(t.free); n > 0 {
		index, t.free = t.free[n-1], t.free[:n-1]
	} else {
		if index = t.next; index%pageSize == 0 {
			t.pages = append(t.pages, make([]entry, pageSize))
		}
		t.next++
	}
	e := t.at(index)
	e.receiver = r
	return poll.Token{Index: index, Gen: e.gen}
}

// remove makes every event for this token stale.
func (t *table) remove(token poll.Token) {
	if t.find(token) == nil {
		return
	}
	e := t.at(token.Index)
	e.receiver = nil
	e.gen++
	t.free = append(t.free, token.Index)
}

// find returns the receiver, nil if the token is stale.
func (t *table) find(token poll.Token) receiver {
	if token.Index >= t.next {
		return nil
	}
	if e := t.at(token.Index); e.gen == token.Gen {
		return e.receiver
	}
	return nil
}
