package loop

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// modelWheel is a wheel beside the simplest thing that does the same: a map from each
// armed node to its tick.
type modelWheel struct {
	wheel
	armed map[*node]int64
	t     *testing.T
}

func newModelWheel(t *testing.T) *modelWheel {
	return &modelWheel{armed: make(map[*node]int64), t: t}
}

func (m *modelWheel) arm(n *node, when int64) {
	m.add(n, when)
	m.armed[n] = max(when, m.tick+1)
	m.check()
}

func (m *modelWheel) disarm(n *node) {
	m.t.Helper()
	_, want := m.armed[n]
	if got := m.remove(n); got != want {
		m.t.Fatalf("remove says %v, want %v", got, want)
	}
	delete(m.armed, n)
	m.check()
}

// check compares the count, and next with the earliest deadline.
func (m *modelWheel) check() {
	m.t.Helper()
	if m.count != len(m.armed) {
		m.t.Fatalf("count is %d, %d nodes are armed", m.count, len(m.armed))
	}
	next, ok := m.next()
	if ok && next < m.tick {
		m.t.Fatalf("next is %d, which is before the tick %d", next, m.tick)
	}
	for _, when := range m.armed {
		if !ok || next > max(when, m.tick) {
			m.t.Fatalf("next is %d, %v; a node is due at %d", next, ok, when)
		}
	}
}

// moveTo advances and takes out what is due, in the model too. Each node that fires is
// handed to fired.
func (m *modelWheel) moveTo(now int64, fired func(*node)) {
	m.t.Helper()
	m.advance(now)
	m.check()
	last := int64(0)
	for n := m.pop(); n != nil; n = m.pop() {
		when, ok := m.armed[n]
		switch {
		case !ok:
			m.t.Fatalf("at %d a node fired that is not armed", now)
		case when > now:
			m.t.Fatalf("a node for %d fired at %d", when, now)
		case when < last:
			m.t.Fatalf("a node for %d fired after one for %d", when, last)
		}
		last = when
		delete(m.armed, n)
		if fired != nil {
			fired(n)
		}
	}
	for _, when := range m.armed {
		if when <= now {
			m.t.Fatalf("a node for %d did not fire at %d", when, now)
		}
	}
}

// jump is a random distance in time, of every order of magnitude.
func jump(r *rand.Rand) int64 { return r.Int64N(int64(2) << r.IntN(wheelBits*wheelLevels+3)) }

func TestWheelAgainstModel(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			m := newModelWheel(t)
			nodes := make([]node, 64)
			for range 3000 {
				n := &nodes[r.IntN(len(nodes))]
				switch r.IntN(10) {
				case 0, 1, 2, 3, 4:
					if _, armed := m.armed[n]; !armed {
						m.arm(n, m.tick+jump(r)-5)
					}
				case 5, 6:
					m.disarm(n)
				case 7:
					m.moveTo(m.tick+r.Int64N(70), nil)
				case 8:
					m.moveTo(m.tick+jump(r), nil)
				case 9: // to the very tick of a node, or the one before
					for _, when := range m.armed {
						m.moveTo(max(when-r.Int64N(2), m.tick), nil)
						break
					}
				}
			}
			m.moveTo(m.tick+100*wheelSpan, nil)
			if m.count != 0 {
				t.Fatalf("%d nodes are left", m.count)
			}
			if at, ok := m.next(); ok {
				t.Fatalf("an empty wheel has something to do at %d", at)
			}
		})
	}
}

// Every distance at which a node changes its level, from every place in the slots.
func TestWheelLevelBoundaries(t *testing.T) {
	for level := 1; level <= wheelLevels; level++ {
		edge := int64(1) << (level * wheelBits)
		for _, start := range []int64{0, 1, 62, 63, 64, 65, edge - 1, edge, edge + 1, 3*edge - 2} {
			for _, distance := range []int64{edge - 1, edge, edge + 1, 2*edge - 1, 63 * edge, 63*edge + 1, 64*edge - 1, 64 * edge} {
				m := newModelWheel(t)
				m.moveTo(start, nil)
				var n node
				m.arm(&n, start+distance)
				m.moveTo(start+distance-1, func(*node) { t.Fatal("too early") })
				fired := 0
				m.moveTo(start+distance, func(*node) { fired++ })
				if fired != 1 {
					t.Fatalf("from %d over %d: fired %d times", start, distance, fired)
				}
			}
		}
	}
}

func TestWheelSleepsTowardsTheDeadline(t *testing.T) {
	m := newModelWheel(t)
	var n node
	m.arm(&n, 5*wheelSpan+12345)
	turns := 0
	for m.count > 0 {
		at, ok := m.next()
		if !ok || at <= m.tick {
			t.Fatalf("next is %d, %v at tick %d: the loop would not sleep", at, ok, m.tick)
		}
		m.moveTo(at, nil)
		turns++
	}
	if m.tick != 5*wheelSpan+12345 || turns > 12 {
		t.Errorf("fired at %d after %d wake-ups", m.tick, turns)
	}
}

func TestWheelArmsForThePast(t *testing.T) {
	m := newModelWheel(t)
	m.moveTo(1000, nil)
	var a, b, c node
	m.arm(&a, 0)
	m.arm(&b, 1000)
	m.arm(&c, -5)
	m.moveTo(1000, func(*node) { t.Fatal("fired in the tick in which it was armed") })
	fired := 0
	m.moveTo(1001, func(*node) { fired++ })
	if fired != 3 {
		t.Errorf("%d of 3 fired in the next tick", fired)
	}
}

func TestWheelArmsAgainInItsOwnExpiry(t *testing.T) {
	m := newModelWheel(t)
	var n node
	m.arm(&n, 10)
	fired := 0
	for now := int64(0); now <= 1000; now += 7 {
		m.moveTo(now, func(n *node) {
			fired++
			m.arm(n, now+10)
		})
	}
	// It is due 10 ticks after it fired, which a step of 7 sees after 14.
	if fired != 1+(1000-14)/14 {
		t.Errorf("fired %d times", fired)
	}
}

func TestWheelTakesBackWhatIsDue(t *testing.T) {
	m := newModelWheel(t)
	var a, b node
	m.arm(&a, 5)
	m.arm(&b, 5)
	m.advance(5)
	m.disarm(&a)
	if n := m.pop(); n != &b {
		t.Error("the other node did not fire")
	}
	if m.pop() != nil || m.count != 0 {
		t.Error("the node that was taken back is still there")
	}
}
