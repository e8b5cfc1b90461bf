package main

import (
	"cmp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/websocket"
)

// hub is the chat: who is where, and what was said. Its workers have one loop, so that all
// its methods run one at a time and need no locks.
type hub struct {
	keep     int           // messages of a room
	away     time.Duration // how long a connection may be lost before its person is gone
	nameWait time.Duration // how long a connection may be nobody's

	doors    []*door
	rooms    map[string]*room
	people   map[string]*person // by folded name
	lastID   uint64
	listing  bool // the list of rooms is about to be sent
	stopping bool
}

// door is a way into the chat: a worker, and how its connections are told of an event.
type door struct {
	worker *workerman.Worker
	encode func(event) []byte // nil: not at all
	echo   bool               // who says something is told so too
}

// member is what the chat knows about a connection; it is kept in Conn.Data.
type member struct {
	conn    *workerman.Conn
	door    *door
	person  *person // nil until it has entered, as room is
	room    *room
	hurryUp *workerman.Timer // closes the connection unless it enters
	allowed bucket
}

// open adds a door. The worker's callbacks are for the caller to set.
func (h *hub) open(d *door) {
	if h.rooms == nil {
		h.rooms, h.people = map[string]*room{}, map[string]*person{}
		// IDs go on rising when the program is started again, and fit a JavaScript number.
		h.lastID = uint64(time.Now().UnixMilli()) * 1000
		h.room(lobby)
	}
	h.doors = append(h.doors, d)
}

// admit makes a connection a member, which has to enter in time.
func (h *hub) admit(c *workerman.Conn, d *door) *member {
	m := &member{conn: c, door: d, allowed: newBucket(time.Now())}
	m.hurryUp = c.After(h.nameWait, func() {
		h.refuse(m, noName, "")
		c.CloseWithCode(websocket.ClosePolicyViolation, "no name was given")
	})
	c.Data = m
	return m
}

// enter brings a member into a room under a name: at first, and whenever it changes one of
// them. since is the last message of that room that the member knows, 0 for none.
func (h *hub) enter(m *member, name, key, roomName string, since uint64) *refusal {
	switch {
	case !validName(name):
		return badName
	case !validMark(key, 16, 64):
		return badKey
	case !validName(roomName):
		return badRoom
	}
	p := h.people[fold(name)]
	if p == nil {
		p = &person{name: name, key: key}
	} else if p.key != key {
		return nameTaken
	}
	r := h.room(fold(roomName))
	switch {
	case r == nil:
		return tooManyRooms
	case len(r.present) >= maxPeople && r.present[p] == nil:
		return roomFull
	}
	if m.person != p || m.room != r {
		h.leave(m, 0)
		h.join(m, p, r)
	}
	messages, missed := r.since(since)
	h.tell(m, event{
		Type: "entered", Name: p.name, Room: r.name, People: r.people(), Rooms: h.list(),
		History: messages, Missed: missed,
	})
	return nil
}

// join makes a member one of those in a room, and tells the others if the person is new.
func (h *hub) join(m *member, p *person, r *room) {
	m.hurryUp.Stop()
	m.person, m.room = p, r
	h.people[fold(p.name)] = p
	at := r.present[p]
	if at == nil {
		at = &presence{}
		r.present[p] = at
		p.rooms++
		h.publish(r, event{Type: "joined", Name: p.name})
		h.listSoon()
	}
	workerman.DelTimer(at.leaving)
	at.conns++
	m.conn.Join(r.name)
}

// leave takes a member out of its room. If the person has no other connection there for
// some time, the others are told.
func (h *hub) leave(m *member, wait time.Duration) {
	p, r := m.person, m.room
	if p == nil {
		return
	}
	m.conn.Leave(r.name)
	m.person, m.room = nil, nil
	at := r.present[p]
	at.conns--
	switch {
	case at.conns > 0 || h.stopping:
	case wait > 0:
		at.leaving = workerman.After(wait, func() { h.gone(p, r) })
	default:
		h.gone(p, r)
	}
}

// gone tells a room that somebody is in it no more, and gives the name free if it is used
// nowhere else.
func (h *hub) gone(p *person, r *room) {
	delete(r.present, p)
	r.used = h.lastID
	p.rooms--
	if p.rooms == 0 {
		delete(h.people, fold(p.name))
	}
	h.publish(r, event{Type: "left", Name: p.name})
	h.listSoon()
}

// maxText is the longest message in characters.
const maxText = 2000

// say passes a message on to everybody in the member's room, itself included, and
// remembers it. A browser that lost its connection asks again with the same ref, and gets
// the answer that it missed.
func (h *hub) say(m *member, text, ref string) *refusal {
	text = clean(text)
	switch {
	case m.room == nil:
		return notEntered
	case !validMark(ref, 1, 32):
		return badRef
	case text == "":
		return emptyText
	case utf8.RuneCountInString(text) > maxText:
		return tooLong
	}
	if message, ok := m.room.said(m.person.name, ref); ok {
		h.tell(m, message)
		return nil
	}
	h.lastID++
	message := event{
		Type: "message", ID: h.lastID, Time: time.Now().UnixMilli(),
		Name: m.person.name, Text: text, Ref: ref,
	}
	m.room.remember(message, h.keep)
	if m.door.echo {
		h.publish(m.room, message)
	} else {
		h.publish(m.room, message, m.conn)
	}
	return nil
}

// typing tells the others that a member is writing.
func (h *hub) typing(m *member) *refusal {
	if m.room == nil {
		return notEntered
	}
	h.publish(m.room, event{Type: "typing", Name: m.person.name}, m.conn)
	return nil
}

// room returns the room of that name. It is made if it is new, in the place of the one that
// was empty for longest if there are too many; nil if there are people in all of them.
func (h *hub) room(name string) *room {
	r := h.rooms[name]
	if r == nil {
		if len(h.rooms) >= maxRooms && !h.forgetRoom() {
			return nil
		}
		r = &room{name: name, used: h.lastID, present: map[*person]*presence{}}
		h.rooms[name] = r
	}
	return r
}

func (h *hub) forgetRoom() bool {
	var oldest *room
	for _, r := range h.rooms {
		if r.name != lobby && len(r.present) == 0 && (oldest == nil || r.used < oldest.used) {
			oldest = r
		}
	}
	if oldest == nil {
		return false
	}
	delete(h.rooms, oldest.name)
	return true
}

// list is the rooms that people are in, the fullest first, and the lobby.
func (h *hub) list() []roomCount {
	var list []roomCount
	for _, r := range h.rooms {
		if len(r.present) > 0 || r.name == lobby {
			list = append(list, roomCount{r.name, len(r.present)})
		}
	}
	slices.SortFunc(list, func(a, b roomCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// listSoon sends the list of rooms to everybody, once for all changes of a second.
func (h *hub) listSoon() {
	if h.listing {
		return
	}
	h.listing = true
	workerman.After(time.Second, func() {
		h.listing = false
		for _, d := range h.doors {
			if data := d.encode(event{Type: "rooms", Rooms: h.list()}); data != nil {
				d.worker.Broadcast(data)
			}
		}
	})
}

// publish tells everybody in a room but those named.
func (h *hub) publish(r *room, e event, except ...*workerman.Conn) {
	for _, d := range h.doors {
		if data := d.encode(e); data != nil {
			d.worker.Group(r.name).Send(data, except...)
		}
	}
}

// refuse tells a member why its request with this ref was not followed.
func (h *hub) refuse(m *member, why *refusal, ref string) {
	if !validMark(ref, 1, 32) {
		ref = "" // nothing unchecked goes back
	}
	h.tell(m, event{Type: "refused", Code: why.code, Text: why.text, Ref: ref})
}

// tell tells one member. If it does not read, MaxSendBuffer ends it.
func (h *hub) tell(m *member, e event) {
	if data := m.door.encode(e); data != nil {
		m.conn.Send(data)
	}
}
