package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// remembered is how many news are kept for those who come back.
const remembered = 100

// feed passes events on to all who listen. Its worker has one loop, so that all its methods
// run one at a time and need no locks.
type feed struct {
	streams   map[*workerman.Conn]*workerman.Stream
	news      []string // the last ones, oldest first
	last      int      // number of the newest; the first is 1
	heartbeat time.Duration
}

func newFeed(heartbeat time.Duration) *feed {
	return &feed{streams: make(map[*workerman.Conn]*workerman.Stream), heartbeat: heartbeat}
}

// subscribe begins a stream with the news behind the one that the client has seen last; a
// new client gets all that are remembered.
func (f *feed) subscribe(c *workerman.Conn, lastID string) {
	stream, err := c.Stream(web.EventStream())
	if err != nil {
		return // the client is gone
	}
	stream.Heartbeat(f.heartbeat)
	// The browser waits for that long before it connects again.
	stream.Event(web.ServerSentEvent{Retry: time.Second, Comment: "welcome"})
	oldest := f.last - len(f.news) + 1
	next := oldest
	// A number that was not given yet is from before a restart of the program. (Who keeps
	// news in a database has numbers that go on.)
	if seen, err := strconv.Atoi(lastID); err == nil && seen <= f.last {
		next = max(oldest, seen+1)
	}
	for ; next <= f.last; next++ {
		stream.Event(item(next, f.news[next-oldest]))
	}
	f.streams[c] = stream
}

// unsubscribe forgets a connection that is gone, with or without a stream.
func (f *feed) unsubscribe(c *workerman.Conn) { delete(f.streams, c) }

// post makes news of a text.
func (f *feed) post(text string) *web.Response {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxText {
		refusal := web.Text(fmt.Sprintf("text has to have 1 to %d bytes\n", maxText))
		refusal.Status = 422
		return refusal
	}
	if len(f.news) == remembered {
		f.news = append(f.news[:0], f.news[1:]...)
	}
	f.news = append(f.news, text)
	f.last++
	f.send(item(f.last, text))
	return web.Status(204)
}

// item is the event of news. Its ID is what a browser sends as Last-Event-ID when it comes
// back.
func item(number int, text string) web.ServerSentEvent {
	return web.ServerSentEvent{Event: "news", ID: strconv.Itoa(number), Data: text}
}

// tick tells the time. It has no ID, since nobody wants to hear it later.
func (f *feed) tick() {
	f.send(web.ServerSentEvent{Event: "clock", Data: time.Now().Format(time.TimeOnly)})
}

func (f *feed) send(e web.ServerSentEvent) {
	for _, stream := range f.streams {
		stream.Event(e) // an error means that the connection is about to close: unsubscribe
	}
}
