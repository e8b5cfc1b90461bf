package main

// request is what a browser sends, one JSON document per message. Type says what for:
//
//	enter   to come in, to go to another Room or to take another Name; also after each
//	        reconnect, with Since, the ID of the last message of that room on the page
//	say     to say Text; Ref is the page's own mark for it, up to 32 letters and digits
//	typing  to let the others know
type request struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Key   string `json:"key"` // a secret of the browser, which its name belongs to
	Room  string `json:"room"`
	Since uint64 `json:"since"`
	Text  string `json:"text"`
	Ref   string `json:"ref"`
}

// event is what the chat tells a browser, one JSON document per message; terminals get it
// as a line. Type says what has happened:
//
//	entered  you are in Room as Name, with People; History is what was said since
//	message  Name has said Text; Ref is as in the request
//	joined   Name has come into the room
//	left     Name has gone
//	typing   Name is writing
//	rooms    Rooms are where people are
//	refused  a request was not followed: Code for programs, Text for people
type event struct {
	Type    string      `json:"type"`
	ID      uint64      `json:"id,omitempty"`   // rises from message to message
	Time    int64       `json:"time,omitempty"` // in milliseconds of Unix time
	Name    string      `json:"name,omitempty"`
	Text    string      `json:"text,omitempty"`
	Ref     string      `json:"ref,omitempty"`
	Code    string      `json:"code,omitempty"`
	Room    string      `json:"room,omitempty"`
	People  []string    `json:"people,omitempty"`
	History []event     `json:"history,omitempty"`
	Missed  bool        `json:"missed,omitempty"` // History does not go back to Since
	Rooms   []roomCount `json:"rooms,omitempty"`
}

// roomCount is a room and how many people are in it.
type roomCount struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// refusal is why the chat does not do what somebody wants.
type refusal struct{ code, text string }

var (
	badName      = &refusal{"bad-name", "A name is " + nameRule + "."}
	nameTaken    = &refusal{"name-taken", "This name is taken. Try another."}
	badKey       = &refusal{"bad-key", "A key is 16 to 64 letters, digits, - and _."}
	badRoom      = &refusal{"bad-room", "A room’s name is " + nameRule + "."}
	tooManyRooms = &refusal{"too-many-rooms", "There are too many rooms already. Join one of them."}
	roomFull     = &refusal{"room-full", "This room is full."}
	badRef       = &refusal{"bad-ref", "A ref is 1 to 32 letters, digits, - and _."}
	emptyText    = &refusal{"empty", "There is nothing to say in this message."}
	tooLong      = &refusal{"too-long", "This message is too long: 2000 characters are the most."}
	noName       = &refusal{"no-name", "You gave no name. Come back when you have one."}
	tooFast      = &refusal{"slow-down", "You are sending too fast. Wait a moment."}
	notEntered   = &refusal{"not-entered", "Enter a room first."}
	unknownType  = &refusal{"unknown-type", "This type of request is unknown."}
)
