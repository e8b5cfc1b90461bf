package examples

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/examples/internal/selfsigned"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/websocket"
)

func TestChatPage(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		url := "http://" + start(t, engine, "chat", "-listen", "http://"+anyPort).address()
		for path, want := range map[string]string{
			"/": "text/html; charset=utf-8", "/style.css": "text/css; charset=utf-8",
			"/chat.js": "text/javascript; charset=utf-8", "/icon.svg": "image/svg+xml",
		} {
			p := ask(t, "GET", url+path, "")
			if p.StatusCode != 200 || p.Header.Get("Content-Type") != want || p.body == "" {
				t.Errorf("%s: %d %s, %d bytes", path, p.StatusCode, p.Header.Get("Content-Type"), len(p.body))
			}
			policy := p.Header.Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: Content-Security-Policy is %q", path, policy)
			}
			if p := ask(t, "GET", url+path, "", "If-None-Match: "+p.Header.Get("ETag")); p.StatusCode != 304 || p.body != "" {
				t.Errorf("%s again: %d, %d bytes, want 304", path, p.StatusCode, len(p.body))
			}
			if p := ask(t, "HEAD", url+path, ""); p.StatusCode != 200 || p.body != "" {
				t.Errorf("HEAD %s: %d, %d bytes", path, p.StatusCode, len(p.body))
			}
		}
		for target, want := range map[string]int{
			"GET /nothing": 404, "GET /index.html": 404, "GET /..%2fmain.go": 404, "GET /../main.go": 404,
			"POST /": 405, "GET /ws": 426,
		} {
			method, path, _ := strings.Cut(target, " ")
			if p := ask(t, method, url+path, ""); p.StatusCode != want {
				t.Errorf("%s: %d, want %d", target, p.StatusCode, want)
			}
		}
		pair := filepath.Join(t.TempDir(), "pair.pem")
		if err := selfsigned.Keep(pair, time.Hour); err != nil {
			t.Fatal(err)
		}
		at := start(t, engine, "chat", "-listen", "https://"+anyPort, "-cert", pair).address()
		if p := askSecurely(t, "https://"+at, trust(t, pair)); p.StatusCode != 200 {
			t.Errorf("with TLS: %d, want 200", p.StatusCode)
		}
	})
}

func TestChat(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "chat", "-listen", "http://"+anyPort, "-away", "0s")
		at := p.address()
		ann := newChatter(t, at, "ann", "ann")
		bob := newChatter(t, at, "Bob", "ann,Bob")
		ann.hears("joined Bob")

		first := ann.says("hello <b>Bob</b>", "1")
		bob.hears("message ann hello <b>Bob</b>")
		second := bob.says("  two\n\n\n\nlines\u202e\a  ", "1")
		ann.hears("message Bob two\n\nlines")
		if second.ID <= first.ID {
			t.Errorf("the message after %d has the ID %d", first.ID, second.ID)
		}
		ann.asks(map[string]any{"type": "typing"})
		bob.hears("typing ann")

		// Rooms.
		carl := newChatter(t, at, "carl", "ann,Bob,carl")
		ann.hears("joined carl") // and no typing of its own
		if e := carl.enters("carl", "DEN", 0); e.Room != "den" || len(e.History) != 0 || strings.Join(e.People, ",") != "carl" {
			t.Errorf("the new room is %+v", e)
		}
		ann.hears("left carl")
		ann.roomsAre("[{lobby 2} {den 1}]")
		carl.says("only here", "2")
		if e := ann.enters("ann", "den", 0); texts(e.History) != "carl: only here" {
			t.Errorf("the history of the den is %q", texts(e.History))
		}
		carl.hears("joined ann")
		bob.hears("joined carl", "left carl", "left ann")

		// Another name.
		if e := ann.enters("Anna", "den", 0); e.Name != "Anna" || strings.Join(e.People, ",") != "Anna,carl" {
			t.Errorf("after taking another name: %+v", e)
		}
		carl.hears("left ann", "joined Anna")
		ann.conn.Close()
		carl.hears("left Anna")
		p.Signal(syscall.SIGTERM)
		carl.closes(websocket.CloseGoingAway)
		if status := p.Status(); status != 0 {
			t.Errorf("exit status %d, want 0", status)
		}
	})
}

// Who reconnects gets what was said meanwhile, once, and is not announced.
func TestChatReconnect(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		at := start(t, engine, "chat", "-listen", "http://"+anyPort, "-history", "3", "-away", "1m").address()
		ann := newChatter(t, at, "ann", "ann")
		bob := newChatter(t, at, "bob", "ann,bob")
		ann.hears("joined bob")
		known := ann.says("one", "a1")
		bob.hears("message ann one")
		ann.conn.Close()
		two := bob.says("two", "b1")

		ann = chatSocket(t, at)
		if e := ann.enters("ann", "lobby", known.ID); texts(e.History) != "bob: two" || e.Missed || len(e.People) != 2 {
			t.Errorf("after a reconnect: %+v", e)
		}
		// It did not get the answer to a1 and says it again: the answer is the same.
		if again := ann.says("one", "a1"); again.ID != known.ID {
			t.Errorf("a message said again has the ID %d, want %d", again.ID, known.ID)
		}
		tab := chatSocket(t, at)
		if e := tab.enters("ANN", "lobby", 0); e.Name != "ann" || texts(e.History) != "ann: one|bob: two" {
			t.Errorf("another tab of ann: %+v", e)
		}
		ann.conn.Close()
		for i := range 3 {
			bob.says(fmt.Sprint(i), fmt.Sprint(i))
		}
		tab.hears("message bob 0", "message bob 1", "message bob 2")
		late := chatSocket(t, at)
		if e := late.enters("ann", "lobby", known.ID); texts(e.History) != "bob: 0|bob: 1|bob: 2" || !e.Missed {
			t.Errorf("long after: %+v", e)
		}
		if e := late.enters("ann", "lobby", two.ID); e.Missed || len(e.History) != 3 {
			t.Errorf("just in time: %+v", e)
		}
		bob.says("nobody came or left", "b2")
	})
}

func TestChatMisuse(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "chat", "-listen", "http://"+anyPort, "-away", "0s")
		at := p.address()
		ann := newChatter(t, at, "ann", "ann")

		c := chatSocket(t, at)
		const key = "0123456789abcdef"
		for _, test := range []struct{ request, code, ref string }{
			{`{"type":"say","text":"hello","ref":"r1"}`, "not-entered", "r1"},
			{`{"type":"typing"}`, "not-entered", ""},
			{`{"type":"dance"}`, "unknown-type", ""},
			{`{}`, "unknown-type", ""},
			{`{"type":"enter","name":"a b","room":"lobby","key":"` + key + `"}`, "bad-name", ""},
			{`{"type":"enter","name":"","room":"lobby","key":"` + key + `"}`, "bad-name", ""},
			{`{"type":"enter","name":"` + strings.Repeat("é", 21) + `","room":"lobby","key":"` + key + `"}`, "bad-name", ""},
			{`{"type":"enter","name":"carl","room":"lobby","key":"short"}`, "bad-key", ""},
			{`{"type":"enter","name":"carl","room":"a/b","key":"` + key + `"}`, "bad-room", ""},
			{`{"type":"enter","name":"ANN","room":"lobby","key":"` + key + `"}`, "name-taken", ""},
		} {
			c.send(websocket.Text, test.request)
			c.refused(test.code, test.ref)
		}
		c.enters("carl", "lobby", 0)
		for _, test := range []struct{ text, ref, code, answer string }{
			{"", "r2", "empty", "r2"},
			{" \n\u200b\x1b[0m ", "r3", "empty", "r3"},
			{"hello", "", "bad-ref", ""},
			{"hello", "<r4>", "bad-ref", ""},
			{strings.Repeat("é", 2001), "r5", "too-long", "r5"},
		} {
			c.asks(map[string]any{"type": "say", "text": test.text, "ref": test.ref})
			c.refused(test.code, test.answer)
		}
		longest := strings.Repeat("é", 2000)
		c.says(longest, "r6")
		ann.hears("joined carl", "message carl "+longest) // and nothing of the rest

		for _, bad := range []struct {
			message string
			code    int
		}{
			{"no JSON", websocket.CloseInvalidData},
			{`{"type":5}`, websocket.CloseInvalidData},
			{`{"type":"say","text":"` + strings.Repeat("x", 20<<10) + `"}`, websocket.CloseTooBig},
		} {
			c := chatSocket(t, at)
			c.send(websocket.Text, bad.message)
			c.closes(bad.code)
		}

		p.endsWell(syscall.SIGINT)
	})
}

// Pages of other sites may not connect, unless they are named.
func TestChatOrigins(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		own := start(t, engine, "chat", "-listen", "http://"+anyPort).address()
		named := start(t, engine, "chat", "-listen", "http://"+anyPort, "-origins", "https://a.example,https://b.example").address()
		const yes, no = "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 403 Forbidden"
		for _, test := range []struct{ address, origin, want string }{
			{own, "http://" + own, yes}, {own, "https://a.example", no}, {own, "null", no},
			{named, "https://a.example", yes}, {named, "https://b.example", yes}, {named, "http://" + named, no},
		} {
			if got := chatAnswer(dial(t, "tcp", test.address), test.origin); got != test.want {
				t.Errorf("%s from %s: %s, want %s", test.address, test.origin, got, test.want)
			}
		}
	})
}

// Who sends too much is refused at first, and closed if that does not help.
func TestChatFlood(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		at := start(t, engine, "chat", "-listen", "http://"+anyPort).address()
		mad := newChatter(t, at, "mad", "mad")
		for i := range 25 {
			mad.asks(map[string]any{"type": "say", "text": "spam", "ref": fmt.Sprint(i)})
		}
		said, refused := 0, 0
		for range 25 {
			switch e := mad.event(); {
			case e.Type == "message":
				said++
			case e.Code == "slow-down" && e.Ref != "":
				refused++
			default:
				t.Fatalf("got %+v", e)
			}
		}
		if said < 19 || refused == 0 {
			t.Errorf("%d messages were taken and %d refused", said, refused)
		}
		for range 200 {
			mad.asks(map[string]any{"type": "typing"})
		}
		mad.closes(websocket.ClosePolicyViolation)
	})
}

func TestChatTimeouts(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		chat := func(setting string, d time.Duration) []string {
			return start(t, engine, "chat", "-listen", "http://"+anyPort, "-text", "text://"+anyPort, setting, testkit.Scale(d).String()).addresses(2)
		}
		at := chat("-name-timeout", 400*time.Millisecond) // nobody here says a name
		nameless, line := chatSocket(t, at[0]), dial(t, "tcp", at[1])
		nameless.closes(websocket.ClosePolicyViolation)
		line.gets(chatWelcome, "You gave no name. Come back when you have one.")
		line.ends()
		at = chat("-idle-timeout", time.Second)
		ann := newChatter(t, at[0], "ann", "ann")
		zoe := terminal(t, at[1], "zoe", "You are in lobby as zoe, with ann, zoe.")
		zoe.ends() // said nothing for a second; ann need not
		ann.hears("joined zoe", "left zoe")
	})
}

// A client that never reads is dropped and does not hold up the others.
func TestChatDropsWhoDoesNotRead(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "chat", "-listen", "http://"+anyPort, "-text", "text://"+anyPort, "-away", "0s", "-history", "1")
		at := p.addresses(2)
		ann := newChatter(t, at[0], "ann", "ann")
		deaf := dial(t, "tcp", at[0])
		deaf.Conn.Conn.(*net.TCPConn).SetReadBuffer(4 << 10) // or the system would take megabytes
		chatAnswer(deaf, "http://"+at[0])                    // without compression, which would make little of the text
		(&chatter{&socketPeer{t: t, conn: deaf, codec: websocket.NewCodec(websocket.Client, new(websocket.Options), websocket.Deflate{})}}).
			asks(map[string]any{"type": "enter", "name": "deaf", "key": chatKey("deaf"), "room": "lobby"})
		ann.hears("joined deaf")
		text := strings.Repeat("€", 2000)
		for i := range 200 { // what the system buffers is megabytes, and one may not say that much
			c := dial(t, "tcp", at[1])
			c.send(fmt.Sprintf("s%d\n", i))
			ann.hears(fmt.Sprintf("joined s%d", i))
			for range 15 {
				c.send(text + "\n")
				if e := ann.event(); e.Type == "left" {
					if e.Name != "deaf" {
						t.Errorf("%s was dropped", e.Name)
					}
					return
				} else if e.Text != text {
					t.Fatalf("got %.100v", e)
				}
			}
			c.Close()
			ann.hears(fmt.Sprintf("left s%d", i))
		}
		t.Error("who does not read was not dropped")
	})
}

// Terminals and browsers are in the same rooms.
func TestChatTerminals(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "chat", "-listen", "http://"+anyPort, "-text", "text://"+anyPort, "-away", "0s")
		at := p.addresses(2)
		ann := newChatter(t, at[0], "ann", "ann")
		c := dial(t, "tcp", at[1])
		c.gets(chatWelcome)
		for _, bad := range []string{"two words", "/help", "a:b", "\u202e,"} {
			c.send(bad + "\n")
			c.gets("A name is 1 to 20 letters, digits, - and _.")
		}
		c.send("Ann\n")
		c.gets("This name is taken. Try another.")
		c.send("\x1b[31m\a\n\x1b[31mbob\x00\n") // the first is nothing, the second a name
		c.gets("You are in lobby as bob, with ann, bob.")
		ann.hears("joined bob")

		c.send("\x1b]0;owned\x07\x1b[2Jbeep\a \xff\xfe\u202edone\rfake\n")
		ann.hears("message bob beep donefake")
		ann.says("fake\nbob: line", "1")
		c.gets("ann: fake", "  bob: line")
		c.send("/who\n/dance\n/rooms\n/name ann\n/join ../x\n/name Bobby\n")
		c.gets("In lobby: ann, bob", "There is no command /dance; /help lists them.", "  lobby (2)",
			"This name is taken. Try another.", "A room’s name is 1 to 20 letters, digits, - and _.",
			"You are in lobby as Bobby, with ann, Bobby.")
		ann.hears("left bob", "joined Bobby")

		zoe := dial(t, "tcp", at[1])
		zoe.gets(chatWelcome)
		zoe.send("zoe\n/help\n")
		for _, want := range []string{"bob: beep donefake", "ann: fake"} {
			if line := zoe.line(); !strings.HasSuffix(line, " "+want) || len(line) != len("15:04 "+want) {
				t.Errorf("the history has %q, want %q", line, want)
			}
		}
		zoe.gets("  bob: line", "You are in lobby as zoe, with ann, Bobby, zoe.", "Type a line and everybody in your room reads it. The commands are:")
		for range 6 {
			zoe.line()
		}
		zoe.send("/join Den\n/quit\n")
		zoe.gets("You are in den as zoe, with zoe.", "Bye.")
		zoe.ends()
		c.gets("* zoe has joined", "* zoe has left")
		p.Signal(syscall.SIGTERM)
		c.gets("* The chat is closing. See you!")
		c.ends()
		if status := p.Status(); status != 0 {
			t.Errorf("exit status %d, want 0", status)
		}
	})
}
