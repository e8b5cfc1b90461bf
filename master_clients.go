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
	if len(m.loops) == 0 || m.before != nil {
		m.before = append(m.before, fn)
		return true
	}
	l := m.loops[0].loop
	return l.Post(func() { fn(l) })
}

// beginClients does what whenRunning has collected.
func (m *Master) beginClients() {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.loops[0].loop
	for _, fn := range m.before {
		l.Post(func() { fn(l) })
	}
	m.before = nil
}

// register remembers a client for the stop; false if that has begun.
func (m *Master) register(cl *Client) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopping() {
		return false
	}
	if m.clients == nil {
		m.clients = make(map[*Client]struct{})
	}
	m.clients[cl] = struct{}{}
	return true
}

func (m *Master) unregister(cl *Client) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.clients, cl)
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

func (m *Master) registered() []*Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.clients))
}

// connectionLeft counts a client's socket out.
func (m *Master) connectionLeft() {
	m.outgoing.Add(-1)
	m.connectionGone()
}
