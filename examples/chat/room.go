package main

import "time"

// lobby is the room where everybody begins. It stays when it is empty.
const lobby = "lobby"

// historySize is how many lines a room remembers.
const historySize = 20

// room is what a room remembers. Who is in it, the worker's group of that name knows.
type room struct {
	name    string
	history []string // the last lines, oldest first
}

// remember keeps a line with the time and forgets the oldest if there are too many.
func (r *room) remember(line string) {
	if len(r.history) == historySize {
		r.history = append(r.history[:0], r.history[1:]...)
	}
	r.history = append(r.history, time.Now().Format("15:04 ")+line)
}
