package loop

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// modelQueue is an outQueue beside the plain bytes that it should hold.
type modelQueue struct {
	*outQueue
	want []byte
}

func (m *modelQueue) check(t *testing.T) {
	t.Helper()
	var got []byte
	for _, p := range m.unwritten() {
		got = append(got, p...)
	}
	if m.size != len(m.want) {
		t.Fatalf("size is %d, want %d", m.size, len(m.want))
	}
	if !bytes.Equal(got, m.want) {
		t.Fatalf("%d bytes queued differ from the %d wanted", len(got), len(m.want))
	}
	if len(m.pieces) != len(m.backs) {
		t.Fatalf("%d pieces with %d backs", len(m.pieces), len(m.backs))
	}
}

// queueWorld is many queues that share the pool of blocks, one of them a loop's cork,
// and the pieces that were shared with them.
type queueWorld struct {
	t       *testing.T
	r       *rand.Rand
	queues  []*modelQueue // the first is the cork
	shared  [][]byte
	shadows [][]byte // copies of shared
}

func newQueueWorld(t *testing.T, seed uint64) *queueWorld {
	cork := &outQueue{cork: &block{b: make([]byte, 0, 6000)}}
	w := &queueWorld{t: t, r: rand.New(rand.NewPCG(seed, 2)), queues: []*modelQueue{{outQueue: cork}}}
	for range 3 {
		w.queues = append(w.queues, &modelQueue{outQueue: outQueues.Get().(*outQueue)})
	}
	return w
}

// bytes is random content of a size around the block's.
func (w *queueWorld) bytes() []byte {
	size := w.r.IntN(100)
	if w.r.IntN(4) == 0 {
		size = w.r.IntN(2*blockSize + 10)
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(w.r.Uint32())
	}
	return b
}

func (w *queueWorld) step() {
	i := w.r.IntN(len(w.queues))
	q, b := w.queues[i], w.bytes()
	switch w.r.IntN(12) {
	case 0, 1: // a copy
		q.append(b)
		q.want = append(q.want, b...)
		clear(b) // the caller uses it again
	case 2, 3, 4: // written in place, or moved away by a reserve that was too small
		room := q.reserve(max(len(b)-w.r.IntN(3), 0))
		if len(room) != 0 {
			w.t.Fatalf("reserve returned %d bytes", len(room))
		}
		q.append(append(room, b...))
		q.want = append(q.want, b...)
	case 5: // reserved and not used
		room := q.reserve(len(b))
		copy(room[:cap(room)][:len(b)], b)
	case 6, 7:
		w.shared, w.shadows = append(w.shared, b), append(w.shadows, bytes.Clone(b))
		q.share(b)
		q.want = append(q.want, b...)
	case 8, 9:
		n := w.r.IntN(q.size + 1)
		q.consume(n)
		q.want = q.want[n:]
	case 10:
		q.reset()
		q.want = nil
	case 11: // what is left in one queue goes to a fresh one, as after a burst
		fresh := &modelQueue{outQueue: outQueues.Get().(*outQueue), want: q.want}
		q.moveTo(fresh.outQueue)
		q.want = nil
		fresh.check(w.t)
		old := 1 + w.r.IntN(len(w.queues)-1)
		if old != i {
			w.queues[old].free()
			w.queues[old] = fresh
		} else {
			q.free()
			w.queues[i] = fresh
		}
	}
}

func (w *queueWorld) check() {
	w.t.Helper()
	for _, q := range w.queues {
		q.check(w.t)
	}
	for i := range w.shared {
		if !bytes.Equal(w.shared[i], w.shadows[i]) {
			w.t.Fatal("a shared piece was written to")
		}
	}
	if len(w.shared) > 20 {
		w.shared, w.shadows = w.shared[10:], w.shadows[10:]
	}
}

// The queues share a pool: a block that two of them hold shows as changed content.
func TestOutQueueAgainstModel(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newQueueWorld(t, seed)
			for range 1500 {
				w.step()
				w.check()
			}
		})
	}
}

// A peer that is always a little behind must not make the queue's own lists grow.
func TestOutQueueThatNeverEmptiesStaysSmall(t *testing.T) {
	q := modelQueue{outQueue: new(outQueue)}
	piece := []byte("0123456789")
	q.share(piece)
	q.want = append(q.want, piece...)
	for range 100_000 {
		q.share(piece)
		q.consume(len(piece))
	}
	q.check(t)
	if n := cap(q.pieces); n > 1024 {
		t.Errorf("room for %d pieces is held for one", n)
	}
}

func TestOutQueueTakesInPlace(t *testing.T) {
	q := new(outQueue)
	room := q.reserve(10)
	q.append(append(room, "abc"...))
	if p := q.unwritten()[0]; &p[0] != &room[:1][0] {
		t.Error("what was written into the reserved slice was copied")
	}
	q.append([]byte("def"))
	if n := len(q.unwritten()); n != 1 {
		t.Errorf("two small messages lie in %d pieces", n)
	}
}

func TestOutQueueSharesByReference(t *testing.T) {
	q, p := new(outQueue), []byte("abc")
	q.share(p)
	q.append([]byte("d"))
	pieces := q.unwritten()
	if len(pieces) != 2 || &pieces[0][0] != &p[0] {
		t.Error("the shared piece was copied or written to")
	}
}

// The cork's memory belongs to the loop and never gets into the pool or another queue.
func TestOutQueueNeverGivesTheCorkAway(t *testing.T) {
	cork := &block{b: make([]byte, 0, 100)}
	q := &outQueue{cork: cork}
	q.append([]byte("in the cork"))
	if p := q.unwritten()[0]; &p[0] != &cork.b[:1][0] {
		t.Fatal("the cork is not used")
	}
	own := new(outQueue)
	q.moveTo(own)
	if p := own.unwritten()[0]; &p[0] == &cork.b[:1][0] {
		t.Error("the cork's memory moved along")
	}
	q.append([]byte("again"))
	q.reset()
	for range 100 {
		if b := blocks.Get().(*block); b == cork {
			t.Fatal("the cork is in the pool")
		}
	}
}
