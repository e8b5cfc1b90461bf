package workerman

import (
	"net/netip"
	"slices"
)

// A server knows its connections: those that are arriving, and, by their ID, those that are ready.
// It counts all of them, in total, for each loop and for each client address.

// addArriving makes known a connection that has handshakes before it.
func (s *server) addArriving(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arriving[c] = struct{}{}
}

// addReady makes known a connection that is ready.
func (s *server) addReady(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.arriving, c)
	s.conns[c.id] = c
}

// remove forgets a connection and counts it out.
func (s *server) remove(c *Conn) {
	s.mu.Lock()
	delete(s.conns, c.id)
	delete(s.arriving, c)
	s.mu.Unlock()
	s.countOut(slices.Index(s.loops, c.stream.Loop()), c.countedIP())
}

// all is a copy of the connections that are ready.
func (s *server) all() []*Conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*Conn, 0, len(s.conns))
	for _, c := range s.conns {
		list = append(list, c)
	}
	return list
}

// allAndArriving is a copy of all connections, also of those with handshakes before them.
func (s *server) allAndArriving() []*Conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*Conn, 0, len(s.conns)+len(s.arriving))
	for _, c := range s.conns {
		list = append(list, c)
	}
	for c := range s.arriving {
		list = append(list, c)
	}
	return list
}

// find returns the ready connection with an ID, nil if there is none.
func (s *server) find(id uint64) *Conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.conns[id]
}

// countIn counts a connection in if the limits allow it.
func (s *server) countIn(ip netip.Addr) bool {
	n := s.live.Add(1)
	if limit := s.limits.MaxConnections; limit > 0 && n > int64(limit) || !s.countIPIn(ip) {
		s.live.Add(-1)
		s.refused.Add(1)
		return false
	}
	s.accepted.Add(1)
	return true
}

// countIPIn counts a connection for its client's address if the limit allows it.
func (s *server) countIPIn(ip netip.Addr) bool {
	if s.perIP == nil || !ip.IsValid() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perIP[ip] >= s.limits.MaxConnectionsPerIP {
		return false
	}
	s.perIP[ip]++
	return true
}

// countAdopted counts a connection in that comes from another process, whatever the limits, and
// returns the number of the loop that has the fewest.
func (s *server) countAdopted(ip netip.Addr) (index int) {
	s.live.Add(1)
	for i := range s.assigned {
		if s.assigned[i].Load() < s.assigned[index].Load() {
			index = i
		}
	}
	s.assigned[index].Add(1)
	if s.perIP == nil || !ip.IsValid() {
		return index
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.perIP[ip]++
	return index
}

// countOut counts a connection of a loop out, and tells a stop that waits for it.
func (s *server) countOut(index int, ip netip.Addr) {
	s.assigned[index].Add(-1)
	s.countIPOut(ip)
	s.live.Add(-1)
	s.master.connectionGone()
}

func (s *server) countIPOut(ip netip.Addr) {
	if s.perIP == nil || !ip.IsValid() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perIP[ip]--; s.perIP[ip] == 0 {
		delete(s.perIP, ip)
	}
}

func (s *server) stats() WorkerStats {
	return WorkerStats{
		Connections: int(s.live.Load()), Accepted: s.accepted.Load(), Refused: s.refused.Load(),
		Requests: s.requests.Load(), SendFail: s.sendFail.Load(), Panics: s.panics.Load(),
		TLSFailures: s.tlsFailures.Load(),
	}
}
