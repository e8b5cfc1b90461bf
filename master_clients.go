package workerman

import (
	"maps"
	"slices"

	"github.com/workerman-go/workerman/internal/loop"
)

// A Master knows its clients that do something, to end them with the stop.

// whenRunning runs fn on the first loop, now or when it runs; false if it has ended.
func (m *Master) whenRunning(fn func(*loop.Loop)) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.firstLoop()
	if l == nil || m.before != nil {
		m.before = append(m.before, fn)
		return true
	}
	return l.Post(func() { fn(l) })
}

// hasClients reports whether clients wait for the start.
func (m *Master) hasClients() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.before) > 0
}

// beginClients does what whenRunning has collected.
func (m *Master) beginClients() {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.firstLoop()
	for _, fn := range m.before {
		l.Post(func() { fn(l) })
	}
	m.before = nil
}

// register remembers a client for the stop; false if that has begun, or is over.
func (m *Master) register(cl *Client) bool {
	r := m.run.Load()
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life.is(runStopping) {
		return false
	}
	r.clients[cl] = struct{}{}
	return true
}

func (m *Master) unregister(cl *Client) {
	r := m.run.Load()
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.clients, cl)
}

// stopClients ends the clients in good order.
func (m *Master) stopClients() {
	for _, cl := range m.registered() {
		cl.end(errStopping)
	}
}

// cutClients destroys what is still open.
func (m *Master) cutClients() {
	for _, cl := range m.registered() {
		cl.post(func(*loop.Loop) {
			if cl.current != nil {
				cl.current.Destroy()
			}
		})
	}
}

// registered are the clients that do something.
func (m *Master) registered() []*Client {
	r := m.run.Load()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.clients))
}

// connectionLeft counts a client's socket out.
func (m *Master) connectionLeft() {
	m.outgoing.Add(-1)
	m.connectionGone()
}
