package session

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"
)

// A MemoryStore keeps sessions in this process alone, until it ends. If it is full, the
// session that would expire first has to go, which is the one that was not used for the
// longest time. The zero value is ready. It needs no goroutine: each new session removes
// some that have expired.
type MemoryStore struct {
	// MaxSessions is how many sessions are kept, 100 000 by default.
	MaxSessions int
	// MaxBytes is how many bytes all data may have, 64 MiB by default. Each session takes some
	// 200 bytes more.
	MaxBytes int

	mu      sync.Mutex
	entries map[string]*entry
	order   byExpiry
	bytes   int
}

var (
	_ Store  = (*MemoryStore)(nil)
	_ nearby = (*MemoryStore)(nil)
)

type entry struct {
	id      string
	data    []byte
	expires time.Time
	place   int // in the heap
}

// cleanup is how many expired sessions a new one removes at most.
const cleanup = 8

func (m *MemoryStore) nearby() {}

// Load is that of Store.
func (m *MemoryStore) Load(_ context.Context, id string) ([]byte, time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.find(id); e != nil {
		return e.data, time.Until(e.expires), nil
	}
	return nil, 0, nil
}

// Create is that of Store. It fails if data is larger than MaxBytes.
func (m *MemoryStore) Create(_ context.Context, id string, data []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range cleanup {
		if len(m.order) == 0 || time.Now().Before(m.order[0].expires) {
			break
		}
		m.remove(m.order[0])
	}
	return m.put(id, data, ttl)
}

// Save is that of Store. It fails if data is larger than MaxBytes.
func (m *MemoryStore) Save(_ context.Context, id string, data []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.find(id)
	if e == nil {
		return ErrGone
	}
	if len(data) <= m.maxBytes() {
		m.remove(e)
	}
	return m.put(id, data, ttl)
}

// Touch is that of Store.
func (m *MemoryStore) Touch(_ context.Context, id string, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.find(id)
	if e == nil {
		return ErrGone
	}
	e.expires = time.Now().Add(ttl)
	heap.Fix(&m.order, e.place)
	return nil
}

// Delete is that of Store.
func (m *MemoryStore) Delete(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[id]; e != nil {
		m.remove(e)
	}
	return nil
}

// find returns a session that has not expired.
func (m *MemoryStore) find(id string) *entry {
	e := m.entries[id]
	if e == nil || time.Now().Before(e.expires) {
		return e
	}
	m.remove(e)
	return nil
}

// put makes room and adds a session of an id that there is none of.
func (m *MemoryStore) put(id string, data []byte, ttl time.Duration) error {
	if len(data) > m.maxBytes() {
		return errors.New("session: a session is larger than MaxBytes of the memory store")
	}
	for len(m.order) > 0 && (len(m.order) >= m.maxSessions() || m.bytes+len(data) > m.maxBytes()) {
		m.remove(m.order[0])
	}
	if m.entries == nil {
		m.entries = make(map[string]*entry)
	}
	e := &entry{id: id, data: data, expires: time.Now().Add(ttl)}
	m.entries[id] = e
	m.bytes += len(data)
	heap.Push(&m.order, e)
	return nil
}

func (m *MemoryStore) remove(e *entry) {
	heap.Remove(&m.order, e.place)
	delete(m.entries, e.id)
	m.bytes -= len(e.data)
}

func (m *MemoryStore) maxSessions() int { return limit(m.MaxSessions, 100_000) }
func (m *MemoryStore) maxBytes() int    { return limit(m.MaxBytes, 64<<20) }

func limit(n, fallback int) int {
	if n <= 0 {
		return fallback
	}
	return n
}

// byExpiry is a heap of sessions, the one that expires first on top.
type byExpiry []*entry

func (b byExpiry) Len() int           { return len(b) }
func (b byExpiry) Less(i, j int) bool { return b[i].expires.Before(b[j].expires) }

func (b byExpiry) Swap(i, j int) {
	b[i], b[j] = b[j], b[i]
	b[i].place, b[j].place = i, j
}

// Push is that of heap.Interface.
func (b *byExpiry) Push(x any) {
	e := x.(*entry)
	e.place = len(*b)
	*b = append(*b, e)
}

// Pop is that of heap.Interface.
func (b *byExpiry) Pop() any {
	last := len(*b) - 1
	e := (*b)[last]
	(*b)[last] = nil
	*b = (*b)[:last]
	return e
}
