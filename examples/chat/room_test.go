package main

import (
	"slices"
	"testing"
)

func TestRoomRemembersTheLastMessages(t *testing.T) {
	var r room
	for id := uint64(10); id <= 60; id += 10 {
		r.remember(event{ID: id, Name: "ann", Ref: string(rune('a' + id/10))}, 3)
	}
	for _, test := range []struct {
		since  uint64
		want   []uint64
		missed bool
	}{
		{0, []uint64{40, 50, 60}, false}, // who knows nothing misses nothing
		{5, []uint64{40, 50, 60}, true},
		{29, []uint64{40, 50, 60}, true},
		{30, []uint64{40, 50, 60}, false},
		{45, []uint64{50, 60}, false},
		{50, []uint64{60}, false},
		{60, nil, false},
		{99, nil, false},
	} {
		messages, missed := r.since(test.since)
		var got []uint64
		for _, message := range messages {
			got = append(got, message.ID)
		}
		if !slices.Equal(got, test.want) || missed != test.missed {
			t.Errorf("since %d: %v, %v; want %v, %v", test.since, got, missed, test.want, test.missed)
		}
	}
	if message, ok := r.said("ann", "f"); !ok || message.ID != 50 {
		t.Errorf("said finds %v, %v", message, ok)
	}
	for _, who := range [][2]string{{"ann", "a"}, {"bob", "f"}} {
		if _, ok := r.said(who[0], who[1]); ok {
			t.Errorf("said finds what %s did not say there as %s", who[0], who[1])
		}
	}
}

// Rooms that are empty make place, the one that was empty for longest first.
func TestRoomsAreBounded(t *testing.T) {
	h := hub{rooms: map[string]*room{}}
	name := func(i int) string { return string(rune('a' + i)) }
	h.room(lobby)
	for i := range maxRooms - 1 {
		h.lastID++
		r := h.room(name(i))
		if i > 1 {
			r.present[&person{}] = &presence{}
		}
	}
	for i, gone := range []string{name(0), name(1)} {
		if r := h.room("new" + name(i)); r == nil || len(h.rooms) != maxRooms {
			t.Fatalf("room %v of %d, want one of %d", r, len(h.rooms), maxRooms)
		} else {
			r.present[&person{}] = &presence{}
		}
		if h.rooms[gone] != nil {
			t.Errorf("room %s is there still", gone)
		}
	}
	if r := h.room("one-more"); r != nil || h.rooms[lobby] == nil {
		t.Errorf("room %v was made in the place of one that is in use", r)
	}
}
