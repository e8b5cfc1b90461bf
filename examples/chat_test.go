package examples

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	chatWelcome = "Welcome to the chat! What is your name?"
	chatRule    = "A name is 1 to 20 letters, digits, - and _. Try another."
)

// chatter comes into the chat under a name; with are those in the lobby then, sorted.
func chatter(t *testing.T, address, name, with string) *client {
	t.Helper()
	c := dial(t, "tcp", address)
	c.gets(chatWelcome)
	c.send(name + "\r\n")
	c.gets("Hello "+name+"! /help lists the commands.", "You are in lobby with "+with+".")
	return c
}

func TestChat(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "chat", "-listen", "text://"+anyPort)
		at := p.address()
		ann := chatter(t, at, "ann", "ann")
		bob := chatter(t, at, "bob", "ann, bob")
		ann.gets("* bob has joined lobby")

		ann.send("hello bob\n\n")
		bob.gets("ann: hello bob")
		bob.send("hello ann\n")
		ann.gets("bob: hello ann")

		ann.send("/name Anna\n")
		ann.gets("* ann is now Anna")
		bob.gets("* ann is now Anna")
		bob.send("/name anna\n")
		bob.gets("The name anna is taken. Try another.")
		ann.send("/name ANNA\n")
		ann.gets("* Anna is now ANNA")
		bob.gets("* Anna is now ANNA")
		carl := chatter(t, at, "ann", "ANNA, ann, bob") // the old name is free
		ann.gets("* ann has joined lobby")
		bob.gets("* ann has joined lobby")

		carl.send("/join Den\n")
		carl.gets("You are in den with ann.")
		ann.gets("* ann has gone to den")
		bob.gets("* ann has gone to den")
		carl.send("nobody hears this\n/rooms\n/join den\n/join ../x\n/join\n")
		carl.gets("  den (1)", "  lobby (2)", "You are in den already.",
			"A room's name is 1 to 20 letters, digits, - and _. Try another.",
			"A room's name is 1 to 20 letters, digits, - and _. Try another.")
		bob.send("/who\n/msg ANN psst\n/msg zoe psst\n/msg ann\n/dance\n")
		bob.gets("In lobby: ANNA, bob", "You whispered to ANN.", "Nobody here is called zoe.",
			"Use /msg NAME TEXT.", "There is no command /dance; /help lists them.")
		carl.gets("bob whispers: psst")

		bob.send("/join den\n")
		bob.gets("You are in den with ann, bob.")
		carl.gets("* bob has joined den")
		ann.gets("* bob has gone to den")
		bob.send("/history\n")
		for _, want := range []string{"* ann has joined den", "ann: nobody hears this", "* bob has joined den"} {
			if line := bob.line(); !strings.HasSuffix(line, " "+want) {
				t.Errorf("history has %q, want %q", line, want)
			}
		}
		bob.send("/help\n")
		if line := bob.line(); !strings.HasPrefix(line, "Type a line") {
			t.Errorf("help begins with %q", line)
		}
		for range 8 {
			bob.line()
		}
		bob.send("/quit\n")
		bob.gets("Bye.")
		bob.ends()
		bob.Close()
		carl.gets("* bob has left")
		ann.send("/join den\n")
		ann.gets("You are in den with ANNA, ann.")
		carl.gets("* ANNA has joined den")
		carl.Close()
		ann.gets("* ann has left")
		ann.send("/join lobby\n/join den\n/history\n") // the den was forgotten with its last member
		ann.gets("You are in lobby with ANNA.", "You are in den with ANNA.")
		if line := ann.line(); !strings.HasSuffix(line, " * ANNA has joined den") {
			t.Errorf("the history of a new room has %q", line)
		}
		p.signal(syscall.SIGTERM)
		ann.gets("* The chat is closing. See you!")
		ann.ends()
		if status := p.status(); status != 0 {
			t.Errorf("exit status %d, want 0", status)
		}
	})
}

func TestChatHistoryIsBounded(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		ann := chatter(t, start(t, engine, "chat", "-listen", "text://"+anyPort).address(), "ann", "ann")
		for i := range 50 {
			ann.send(fmt.Sprintf("line %d\n", i))
		}
		ann.send("/history\n/who\n")
		for i := 30; i < 50; i++ {
			if line, want := ann.line(), fmt.Sprintf(" ann: line %d", i); !strings.HasSuffix(line, want) {
				t.Fatalf("history has %q, want %q", line, want)
			}
		}
		ann.gets("In lobby: ann")
	})
}

func TestChatBadInput(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "chat", "-listen", "text://"+anyPort)
		at := p.address()
		ann := chatter(t, at, "ann", "ann")

		c := dial(t, "tcp", at)
		c.gets(chatWelcome)
		for _, name := range []string{"two words", "/help", strings.Repeat("x", 21), "a:b", "\u202e,"} {
			c.send(name + "\n")
			c.gets(chatRule)
		}
		c.send("ann\n")
		c.gets("The name ann is taken. Try another.")
		c.send("\x1b[31m\a\n\x1b[31mcarl\x00\n") // the first is nothing, the second a name
		c.gets("Hello carl! /help lists the commands.", "You are in lobby with ann, carl.")
		ann.gets("* carl has joined lobby")
		c.send("\x1b]0;owned\x07\x1b[2Jbeep\a \xff\xfe\u202edone\rfake\n")
		ann.gets("carl: beep donefake")

		c.send(strings.Repeat("x", 4000) + "\n")
		ann.gets("carl: " + strings.Repeat("x", 4000))
		c.send(strings.Repeat("x", 5000) + "\n")
		c.ends()
		c.Close()
		ann.gets("* carl has left (sent a line that is too long)")

		// Someone who leaves without a name is no news to the others.
		ghost := dial(t, "tcp", at)
		ghost.gets(chatWelcome)
		ghost.send("/quit\n")
		ghost.gets("Bye.")
		ghost.ends()
		ann.send("/who\n")
		ann.gets("In lobby: ann")
		p.endsWell(syscall.SIGINT)
	})
}

func TestChatTimeouts(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "chat", "-listen", "text://"+anyPort, "-name-timeout", "400ms", "-idle-timeout", "2s")
		nameless := dial(t, "tcp", p.address())
		ann := chatter(t, p.address(), "ann", "ann")
		nameless.gets(chatWelcome, "You gave no name. Come back when you have one.")
		nameless.ends()
		bob := chatter(t, p.address(), "bob", "ann, bob")
		ann.gets("* bob has joined lobby")
		bob.stays(time.Second)
		bob.send("/who\n")
		bob.gets("In lobby: ann, bob")
		ann.ends() // silent all the time
		ann.Close()
		bob.gets("* ann has left (silent for too long)")
	})
}

// A client that never reads is dropped and does not hold up the others.
func TestChatDropsWhoDoesNotRead(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		at := start(t, engine, "chat", "-listen", "text://"+anyPort).address()
		deaf := chatter(t, at, "deaf", "deaf")
		ann := chatter(t, at, "ann", "ann, deaf")
		deaf.gets("* ann has joined lobby")
		line := []byte(strings.Repeat("x", 4000) + "\n")
		gone := make(chan struct{})
		stopped := make(chan error, 1)
		go func() {
			for {
				select {
				case <-gone:
					stopped <- nil
					return
				default:
				}
				if _, err := ann.Write(line); err != nil {
					stopped <- err
					return
				}
			}
		}()
		ann.gets("* deaf has left (did not read)")
		close(gone)
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		ann.send("/who\n")
		ann.gets("In lobby: ann")
	})
}
