package main

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/workerman-go/workerman"
)

const help = `Type a line and everybody in your room reads it. The commands are:
  /name NEW    take another name
  /join ROOM   go to another room; it is made if it is new
  /rooms       list the rooms that people are in
  /who         list who is in your room
  /help        show this
  /quit        leave`

// serveText opens the door for terminals, where an event is a line.
func (h *hub) serveText(w *workerman.Worker) {
	d := &door{worker: w, encode: encodeLine}
	h.open(d)
	w.OnWorkerStop = func(w *workerman.Worker) {
		h.stopping = true
		w.Broadcast([]byte("* The chat is closing. See you!"))
	}
	w.OnConnect = func(c *workerman.Conn) {
		h.admit(c, d)
		c.Send([]byte("Welcome to the chat! What is your name?"))
	}
	w.OnClose = func(c *workerman.Conn) { h.leave(c.Data.(*member), 0) }
	w.OnMessage = func(c *workerman.Conn, data []byte) {
		m := c.Data.(*member)
		if why := h.line(m, clean(string(data))); why != nil {
			h.refuse(m, why, "")
		}
	}
}

// line does what a terminal asks for: the first line is a name.
func (h *hub) line(m *member, line string) *refusal {
	command, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	ok, hopeless := m.allowed.take(time.Now())
	switch {
	case hopeless:
		m.conn.CloseWith([]byte("Too many lines."))
	case !ok:
		return tooFast
	case line == "":
	case line == "/quit":
		m.conn.CloseWith([]byte("Bye."))
	case m.person == nil:
		return h.enter(m, line, rand.Text(), lobby, 0)
	case command == "/name":
		return h.enter(m, rest, m.person.key, m.room.name, h.lastID)
	case command == "/join":
		return h.enter(m, m.person.name, m.person.key, rest, 0)
	case command == "/rooms":
		for _, r := range h.list() {
			m.conn.Send(fmt.Appendf(nil, "  %s (%d)", r.Name, r.Count))
		}
	case command == "/who":
		m.conn.Send([]byte("In " + m.room.name + ": " + strings.Join(m.room.people(), ", ")))
	case command == "/help":
		m.conn.Send([]byte(help))
	case strings.HasPrefix(line, "/"):
		m.conn.Send([]byte("There is no command " + command + "; /help lists them."))
	default:
		return h.say(m, line, rand.Text())
	}
	return nil
}

// encodeLine is how a terminal is told of an event.
func encodeLine(e event) []byte {
	switch e.Type {
	case "message":
		// A message of several lines is indented, so that none looks like another's.
		return []byte(e.Name + ": " + strings.ReplaceAll(e.Text, "\n", "\n  "))
	case "joined":
		return []byte("* " + e.Name + " has joined")
	case "left":
		return []byte("* " + e.Name + " has left")
	case "refused":
		return []byte(e.Text)
	case "entered":
		var b strings.Builder
		for _, message := range e.History {
			b.WriteString(time.UnixMilli(message.Time).Format("15:04 "))
			b.Write(encodeLine(message))
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "You are in %s as %s, with %s.", e.Room, e.Name, strings.Join(e.People, ", "))
		return []byte(b.String())
	}
	return nil
}
