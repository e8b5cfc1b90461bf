package workerman

import (
	"iter"
	"maps"
	"slices"
	"sync"
)

// hub knows which connections are in which group and belong to which user.
type hub struct {
	mu     sync.RWMutex
	groups map[string]map[*Conn]struct{}
	users  map[string]map[*Conn]struct{}
}

func add(sets *map[string]map[*Conn]struct{}, key string, c *Conn) {
	if *sets == nil {
		*sets = make(map[string]map[*Conn]struct{})
	}
	set := (*sets)[key]
	if set == nil {
		set = make(map[*Conn]struct{})
		(*sets)[key] = set
	}
	set[c] = struct{}{}
}

func drop(sets map[string]map[*Conn]struct{}, key string, c *Conn) {
	delete(sets[key], c)
	if len(sets[key]) == 0 {
		delete(sets, key)
	}
}

// Join adds the connection to a group of its worker in this process; a group exists while it
// has members. A connection leaves its groups when it closes, and takes them along when it
// moves to another process.
func (c *Conn) Join(group string) {
	h := &c.settings.hub
	x := c.ensureRare()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !c.stream.Open() {
		return
	}
	add(&h.groups, group, c)
	if x.groups == nil {
		x.groups = make(map[string]struct{})
	}
	x.groups[group] = struct{}{}
}

// Leave takes the connection out of a group.
func (c *Conn) Leave(group string) {
	h := &c.settings.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	drop(h.groups, group, c)
	if x := c.rare(); x != nil {
		delete(x.groups, group)
	}
}

// Groups returns the names of the connection's groups, sorted.
func (c *Conn) Groups() []string {
	h := &c.settings.hub
	h.mu.RLock()
	defer h.mu.RUnlock()
	if x := c.rare(); x != nil {
		return slices.Sorted(maps.Keys(x.groups))
	}
	return nil
}

// Bind says that the connection belongs to the user uid, who may have several; "" takes
// it back. A connection has one user at a time, also when it has moved to another process.
func (c *Conn) Bind(uid string) {
	h := &c.settings.hub
	x := c.ensureRare()
	h.mu.Lock()
	defer h.mu.Unlock()
	if x.uid != "" {
		drop(h.users, x.uid, c)
	}
	x.uid = ""
	if uid != "" && c.stream.Open() {
		x.uid = uid
		add(&h.users, uid, c)
	}
}

// UID is what Bind set. It stays readable in OnClose.
func (c *Conn) UID() string {
	h := &c.settings.hub
	h.mu.RLock()
	defer h.mu.RUnlock()
	if x := c.rare(); x != nil {
		return x.uid
	}
	return ""
}

// forget takes a closed connection out of everything; what it belonged to stays readable
// for OnClose.
func (h *hub) forget(c *Conn) {
	x := c.rare()
	if x == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for group := range x.groups {
		drop(h.groups, group, c)
	}
	if x.uid != "" {
		drop(h.users, x.uid, c)
	}
}

// members is a copy, so that callbacks may join and leave while it is used.
func (h *hub) members(sets *map[string]map[*Conn]struct{}, key string) []*Conn {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.Collect(maps.Keys((*sets)[key]))
}

// Group is a name for the connections that joined it. It may be taken before the worker starts,
// and goes on to mean the worker's connections when that runs again. The zero value has no members.
type Group struct {
	worker *Worker // nil: none has members
	name   string
}

// Group returns the group of that name, which may be empty; its members are connections of
// this process. It is empty before the worker starts.
func (w *Worker) Group(name string) Group { return Group{worker: w, name: name} }

// Send sends one message to every member but those named, encoded once if the protocol
// allows, and returns how many took it. Connections that speak HTTP are left out: they wait
// for answers. A member's order is kept: what one goroutine sends to a group and to a member
// arrives in that order.
func (g Group) Send(data []byte, except ...*Conn) (int, error) {
	s := g.server()
	return s.sendAll(s.hub.members(&s.hub.groups, g.name), data, except)
}

// server is what runs the worker now: a group lives longer than one run.
func (g Group) server() *server {
	if g.worker == nil {
		return notStarted
	}
	return g.worker.runningServer()
}

// Count is the number of members.
func (g Group) Count() int {
	h := &g.server().hub
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.groups[g.name])
}

// Members iterates over the members at the time of the call.
func (g Group) Members() iter.Seq[*Conn] {
	h := &g.server().hub
	return slices.Values(h.members(&h.groups, g.name))
}

// SendTo sends one message to every connection of a user in this process and returns how many
// took it.
func (w *Worker) SendTo(uid string, data []byte) (int, error) {
	s := w.runningServer()
	return s.sendAll(s.hub.members(&s.hub.users, uid), data, nil)
}

// IsOnline reports whether a user has a connection in this process.
func (w *Worker) IsOnline(uid string) bool {
	s := w.runningServer()
	s.hub.mu.RLock()
	defer s.hub.mu.RUnlock()
	return len(s.hub.users[uid]) > 0
}

// Broadcast sends one message to every connection of the worker in this process but those
// named, as Group.Send does, and returns how many took it.
func (w *Worker) Broadcast(data []byte, except ...*Conn) (int, error) {
	s := w.runningServer()
	return s.sendAll(s.all(), data, except)
}

func (s *server) sendAll(conns []*Conn, data []byte, except []*Conn) (int, error) {
	if len(conns) == 0 {
		return 0, nil
	}
	f, err := s.newFanout(data)
	if err != nil {
		return 0, err
	}
	for _, c := range conns {
		if !slices.Contains(except, c) {
			f.send(c)
		}
	}
	return f.done(), nil
}
