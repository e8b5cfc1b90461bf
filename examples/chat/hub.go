package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/workerman-go/workerman"
)

const help = `Type a line and everybody in your room reads it. The commands are:
  /name NEW        take another name
  /join ROOM       go to another room; it is made if it is new
  /rooms           list the rooms
  /who             list who is in your room
  /msg NAME TEXT   tell one person something
  /history         show the last lines of your room
  /help            show this
  /quit            leave`

// hub is the chat: it takes in people, runs their commands and passes lines on. Its
// workers have one loop, so that all its methods run one at a time and need no locks.
type hub struct {
	workers  []*workerman.Worker
	rooms    map[string]*room
	nameWait time.Duration
	stopping bool
}

// member is what the chat knows about a connection; it is kept in Conn.Data.
type member struct {
	name    string // empty until the person gave one
	room    *room
	hurryUp *workerman.Timer // closes the connection unless a name is given
}

func newHub(nameWait time.Duration) *hub {
	return &hub{rooms: map[string]*room{lobby: {name: lobby}}, nameWait: nameWait}
}

// serve makes the connections of w part of the chat. Groups and users belong to one
// worker, therefore the hub asks all its workers for them.
func (h *hub) serve(w *workerman.Worker) {
	h.workers = append(h.workers, w)
	w.OnConnect = h.welcome
	w.OnMessage = func(c *workerman.Conn, data []byte) { h.receive(c, clean(data)) }
	w.OnClose = h.goodbye
	w.OnWorkerStop = h.stop
}

// welcome greets a new connection, which has to give a name in time.
func (h *hub) welcome(c *workerman.Conn) {
	c.Data = &member{hurryUp: c.After(h.nameWait, func() {
		c.CloseWith([]byte("You gave no name. Come back when you have one."))
	})}
	tell(c, "Welcome to the chat! What is your name?")
}

// receive takes one cleaned line of a client.
func (h *hub) receive(c *workerman.Conn, line string) {
	m := c.Data.(*member)
	switch {
	case line == "":
	case line == "/quit":
		c.CloseWith([]byte("Bye."))
	case m.name == "":
		h.introduce(c, m, line)
	case strings.HasPrefix(line, "/"):
		h.command(c, m, line)
	default:
		h.say(m.room, m.name+": "+line, c)
	}
}

// introduce lets a person in who gave a good name.
func (h *hub) introduce(c *workerman.Conn, m *member, name string) {
	if !h.rename(c, m, name) {
		return
	}
	m.hurryUp.Stop()
	tell(c, "Hello "+name+"! /help lists the commands.")
	h.enter(c, m, lobby)
}

// command runs a line that begins with a slash.
func (h *hub) command(c *workerman.Conn, m *member, line string) {
	name, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "/name":
		if old := m.name; h.rename(c, m, rest) {
			h.say(m.room, "* "+old+" is now "+m.name)
		}
	case "/join":
		h.move(c, m, strings.ToLower(rest))
	case "/rooms":
		for _, name := range slices.Sorted(maps.Keys(h.rooms)) {
			tell(c, fmt.Sprintf("  %s (%d)", name, h.count(name)))
		}
	case "/who":
		tell(c, "In "+m.room.name+": "+strings.Join(h.names(m.room.name), ", "))
	case "/msg":
		h.whisper(c, m, rest)
	case "/history":
		if len(m.room.history) == 0 {
			tell(c, "Nothing was said in "+m.room.name+" yet.")
		}
		for _, line := range m.room.history {
			tell(c, "  "+line)
		}
	case "/help":
		tell(c, help)
	default:
		tell(c, "There is no command "+name+"; /help lists them.")
	}
}

// rename gives a person a name that is good and free; it says what is wrong otherwise.
func (h *hub) rename(c *workerman.Conn, m *member, name string) bool {
	switch {
	case !validName(name):
		tell(c, "A name is "+nameRule+". Try another.")
	case userID(name) != c.UID() && h.online(name):
		tell(c, "The name "+name+" is taken. Try another.")
	default:
		m.name = name
		c.Bind(userID(name))
		return true
	}
	return false
}

// userID is the same for names that differ in upper and lower case only.
func userID(name string) string { return strings.ToLower(name) }

// move takes a person to another room.
func (h *hub) move(c *workerman.Conn, m *member, name string) {
	switch {
	case !validName(name):
		tell(c, "A room's name is "+nameRule+". Try another.")
	case name == m.room.name:
		tell(c, "You are in "+name+" already.")
	default:
		c.Leave(m.room.name)
		h.left(m, "has gone to "+name)
		h.enter(c, m, name)
	}
}

// enter brings a person into a room, which is made if it is new.
func (h *hub) enter(c *workerman.Conn, m *member, name string) {
	m.room = h.rooms[name]
	if m.room == nil {
		m.room = &room{name: name}
		h.rooms[name] = m.room
	}
	h.say(m.room, "* "+m.name+" has joined "+name)
	c.Join(name)
	tell(c, "You are in "+name+" with "+strings.Join(h.names(name), ", ")+".")
}

// left announces that a person is in the room no more, and forgets a room that is empty.
func (h *hub) left(m *member, why string) {
	if m.room.name != lobby && h.count(m.room.name) == 0 {
		delete(h.rooms, m.room.name)
		return
	}
	h.say(m.room, "* "+m.name+" "+why)
}

// goodbye announces that a connection is gone. The worker has taken it out of its group
// and given its name free by now.
func (h *hub) goodbye(c *workerman.Conn) {
	m := c.Data.(*member)
	if m.name == "" || h.stopping {
		return
	}
	why := "has left"
	switch err := c.Err(); {
	case errors.Is(err, workerman.ErrIdle):
		why += " (silent for too long)"
	case errors.Is(err, workerman.ErrTooLarge):
		why += " (sent a line that is too long)"
	case errors.Is(err, workerman.ErrBufferFull):
		why += " (did not read)"
	case err != nil:
		why += " (connection lost)"
	}
	h.left(m, why)
}

// stop tells everybody why the connection is about to close.
func (h *hub) stop(w *workerman.Worker) {
	h.stopping = true
	w.Broadcast([]byte("* The chat is closing. See you!"))
}

// say sends a line to everybody in a room but those named, and remembers it.
func (h *hub) say(r *room, line string, except ...*workerman.Conn) {
	r.remember(line)
	for _, w := range h.workers {
		w.Group(r.name).Send([]byte(line), except...)
	}
}

// whisper sends a line to one person.
func (h *hub) whisper(c *workerman.Conn, m *member, rest string) {
	name, text, _ := strings.Cut(rest, " ")
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		tell(c, "Use /msg NAME TEXT.")
	case !h.online(name):
		tell(c, "Nobody here is called "+name+".")
	default:
		for _, w := range h.workers {
			w.SendTo(userID(name), []byte(m.name+" whispers: "+text))
		}
		tell(c, "You whispered to "+name+".")
	}
}

// online reports whether somebody has that name.
func (h *hub) online(name string) bool {
	return slices.ContainsFunc(h.workers, func(w *workerman.Worker) bool { return w.IsOnline(userID(name)) })
}

// count is the number of people in a room.
func (h *hub) count(room string) (n int) {
	for _, w := range h.workers {
		n += w.Group(room).Count()
	}
	return n
}

// names are those of the people in a room, sorted.
func (h *hub) names(room string) []string {
	var list []string
	for _, w := range h.workers {
		for c := range w.Group(room).Members() {
			list = append(list, c.Data.(*member).name)
		}
	}
	slices.Sort(list)
	return list
}

// tell sends a line to one connection. If it does not read, MaxSendBuffer ends it.
func tell(c *workerman.Conn, line string) { c.Send([]byte(line)) }
