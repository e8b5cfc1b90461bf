package examples

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/websocket"
)

// chatter is a browser in the chat.
type chatter struct{ *socketPeer }

// chatEvent is what the chat says to a browser.
type chatEvent struct {
	Type, Name, Text, Ref, Code, Room string
	ID                                uint64
	Time                              int64
	People                            []string
	History                           []chatEvent
	Missed                            bool
	Rooms                             []struct {
		Name  string
		Count int
	}
}

// chatSocket connects to the chat without entering.
func chatSocket(t *testing.T, address string) *chatter {
	t.Helper()
	return &chatter{openSocket(t, address, "/ws")}
}

// chatAnswer shakes hands on c as a page of origin does, and returns the status line.
func chatAnswer(c *client, origin string) string {
	c.t.Helper()
	c.send("GET /ws HTTP/1.1\r\nHost: " + c.RemoteAddr().String() + "\r\nOrigin: " + origin + "\r\n" +
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	return strings.TrimSuffix(c.line(), "\r")
}

// enters asks to come in and returns the answer.
func (c *chatter) enters(name, room string, since uint64) chatEvent {
	c.t.Helper()
	c.asks(map[string]any{"type": "enter", "name": name, "key": chatKey(name), "room": room, "since": since})
	return c.event()
}

// chatKey is the secret of a test's person.
func chatKey(name string) string { return strings.ToLower(name) + "-0123456789abcdef" }

// newChatter comes into the lobby; with are those who are there then.
func newChatter(t *testing.T, address, name, with string) *chatter {
	t.Helper()
	c := chatSocket(t, address)
	e := c.enters(name, "lobby", 0)
	if people := strings.Join(e.People, ","); e.Type != "entered" || e.Name != name || e.Room != "lobby" || people != with {
		t.Fatalf("entering was answered with %+v, want people %s", e, with)
	}
	return c
}

func (c *chatter) asks(request any) {
	c.t.Helper()
	data, err := json.Marshal(request)
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(websocket.Text, string(data))
}

// says says something and waits for it to come back, which it returns.
func (c *chatter) says(text, ref string) chatEvent {
	c.t.Helper()
	c.asks(map[string]any{"type": "say", "text": text, "ref": ref})
	e := c.event()
	if e.Type != "message" || e.Ref != ref || e.ID == 0 || e.Time == 0 {
		c.t.Fatalf("a message came back as %+v", e)
	}
	return e
}

// event reads the next event. The list of rooms comes when it comes: see roomsAre.
func (c *chatter) event() chatEvent {
	c.t.Helper()
	for {
		if e := c.anyEvent(); e.Type != "rooms" {
			return e
		}
	}
}

func (c *chatter) anyEvent() (e chatEvent) {
	c.t.Helper()
	ev := c.next()
	if ev.Op != websocket.Text {
		c.t.Fatalf("no event, but %v %d %q", ev.Op, ev.Code, ev.Data)
	}
	if err := json.Unmarshal(ev.Data, &e); err != nil {
		c.t.Fatal(err)
	}
	return e
}

// hears expects the next events, each as "type name text".
func (c *chatter) hears(want ...string) {
	c.t.Helper()
	for _, w := range want {
		e := c.event()
		if got := strings.TrimSpace(e.Type + " " + e.Name + " " + e.Text); got != w {
			c.t.Fatalf("heard %q, want %q", got, w)
		}
	}
}

// refused expects a refusal.
func (c *chatter) refused(code, ref string) {
	c.t.Helper()
	if e := c.event(); e.Type != "refused" || e.Code != code || e.Ref != ref || e.Text == "" {
		c.t.Fatalf("got %+v, want a refusal %s of %q", e, code, ref)
	}
}

// roomsAre expects the next list of rooms.
func (c *chatter) roomsAre(want string) {
	c.t.Helper()
	for {
		if e := c.anyEvent(); e.Type == "rooms" {
			if got := fmt.Sprint(e.Rooms); got != want {
				c.t.Fatalf("the rooms are %s, want %s", got, want)
			}
			return
		}
	}
}

// closes expects that the server closes with this code, after any events.
func (c *chatter) closes(code int) {
	c.t.Helper()
	ev := c.next()
	for ev.Op == websocket.Text {
		ev = c.next()
	}
	if ev.Op != websocket.Close || ev.Code != code {
		c.t.Fatalf("got %v %d %q, want a close with %d", ev.Op, ev.Code, ev.Data, code)
	}
}

// texts is what was said before somebody entered.
func texts(history []chatEvent) string {
	list := make([]string, len(history))
	for i, e := range history {
		list[i] = e.Name + ": " + e.Text
	}
	return strings.Join(list, "|")
}

const chatWelcome = "Welcome to the chat! What is your name?"

// terminal comes into the chat from a terminal.
func terminal(t *testing.T, address, name, entered string) *client {
	t.Helper()
	c := dial(t, "tcp", address)
	c.gets(chatWelcome)
	c.send(name + "\r\n")
	c.gets(entered)
	return c
}
