package main

import (
	"cmp"
	"slices"

	"github.com/workerman-go/workerman"
)

const (
	// lobby is the room where everybody begins. It is always listed.
	lobby = "lobby"
	// maxRooms bounds what histories take: with long messages half a megabyte a room.
	maxRooms = 100
	// maxPeople is how many people fit into a room: each message goes to all of them.
	maxPeople = 500
)

// room is what a room remembers. Its connections the workers' groups of that name know.
type room struct {
	name    string
	history []event // the last messages, oldest first
	dropped uint64  // the ID of the last message that was forgotten
	used    uint64  // how far IDs were when the last person left
	present map[*person]*presence
}

// person is a name that is in use, by one or more connections.
type person struct {
	name  string
	key   string // who brings the same one is the same person
	rooms int    // in which the person is present
}

// presence is somebody's being in a room.
type presence struct {
	conns   int
	leaving *workerman.Timer // runs while there is no connection, until the room is told
}

// remember keeps a message and forgets the oldest if there are more than keep.
func (r *room) remember(message event, keep int) {
	if len(r.history) >= keep {
		r.dropped = r.history[0].ID
		r.history = slices.Delete(r.history, 0, 1)
	}
	r.history = append(r.history, message)
}

// since returns the messages after one with that ID, and whether some of them are forgotten.
func (r *room) since(id uint64) (messages []event, missed bool) {
	first, _ := slices.BinarySearchFunc(r.history, id+1, func(e event, id uint64) int { return cmp.Compare(e.ID, id) })
	return slices.Clone(r.history[first:]), id > 0 && id < r.dropped
}

// said returns the message that a person marked with ref, if the room remembers it.
func (r *room) said(name, ref string) (event, bool) {
	i := slices.IndexFunc(r.history, func(e event) bool { return e.Ref == ref && e.Name == name })
	if i < 0 {
		return event{}, false
	}
	return r.history[i], true
}

// people are the names of those in the room, sorted.
func (r *room) people() []string {
	list := make([]string, 0, len(r.present))
	for p := range r.present {
		list = append(list, p.name)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(fold(a), fold(b)), cmp.Compare(a, b)) })
	return list
}
