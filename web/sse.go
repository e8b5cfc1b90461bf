package web

import (
	"strconv"
	"strings"
	"time"
)

const eventStream = "text/event-stream"

// EventStream is the head of a stream of events. It asks caches and proxies, nginx among
// them, to pass events on as they come.
func EventStream() *Response {
	r := &Response{contentType: eventStream}
	return r.Set("Cache-Control", "no-cache").Set("X-Accel-Buffering", "no")
}

// IsEventStream reports whether the response is of the type text/event-stream.
func (r *Response) IsEventStream() bool {
	t, _, _ := strings.Cut(r.contentType, ";")
	return equalFold(trim(t), eventStream)
}

// A ServerSentEvent is an event of a stream of the type text/event-stream (WHATWG HTML,
// section 9.2).
type ServerSentEvent struct {
	// Comment is for whoever reads the stream by eye, and keeps idle connections alive.
	Comment string
	// Event is the type of the event; empty means "message".
	Event string
	// ID is what the client will send as Last-Event-ID when it connects again.
	ID string
	// Retry is how long the client waits before it connects again, in whole milliseconds;
	// 0 leaves it as it is.
	Retry time.Duration
	// Data is the content, of any number of lines.
	Data string
}

// Append appends the event. The lines of Comment and Data become lines of their own; an
// Event or an ID with a line break, or an ID with a NUL, is left out. An event with a type
// and no data gets an empty line of data, as clients drop it otherwise.
func (e ServerSentEvent) Append(dst []byte) []byte {
	if e.Comment != "" {
		dst = appendLines(dst, ": ", e.Comment)
	}
	if e.Event != "" && !strings.ContainsAny(e.Event, "\r\n") {
		dst = appendLine(dst, "event: ", e.Event)
	}
	if e.ID != "" && !strings.ContainsAny(e.ID, "\r\n\x00") {
		dst = appendLine(dst, "id: ", e.ID)
	}
	if ms := e.Retry.Milliseconds(); ms > 0 {
		dst = strconv.AppendInt(append(dst, "retry: "...), ms, 10)
		dst = append(dst, '\n')
	}
	if e.Data != "" || e.Event != "" {
		dst = appendLines(dst, "data: ", e.Data)
	}
	return append(dst, '\n')
}

func appendLine(dst []byte, label, value string) []byte {
	return append(append(append(dst, label...), value...), '\n')
}

// appendLines appends each line of text behind label. CR, LF and CRLF end lines for the
// reader, hence here.
func appendLines(dst []byte, label, text string) []byte {
	for {
		i := strings.IndexAny(text, "\r\n")
		if i < 0 {
			return appendLine(dst, label, text)
		}
		dst = appendLine(dst, label, text[:i])
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		text = text[i+1:]
	}
}
