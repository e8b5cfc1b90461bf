package workertest

import (
	"io"
	"slices"
	"testing"

	"github.com/workerman-go/workerman/websocket"
)

func TestKinds(t *testing.T) {
	var got []string
	Kinds(t, func(t *testing.T, k Kind) { got = append(got, k.String()) })
	if want := []string{"native/tcp", "native/unix", "portable/tcp", "portable/unix"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A service announces each of its workers before Start returns, and serves by any way to dial.
func TestServices(t *testing.T) {
	Kinds(t, func(t *testing.T, k Kind) {
		s := New(t, k)
		lines, chat := s.NewWorker(k.Address(t, "text")), s.NewWorker(k.Address(t, "websocket"))
		Echo(lines)
		EchoKind(chat)
		s.Start()
		if n := len(s.Log.Lines("worker started")); n != 2 {
			t.Errorf("got %d workers that have started, want 2", n)
		}
		c := Dial(t, lines)
		io.WriteString(c, "hello\n")
		if got, err := io.ReadAll(io.LimitReader(c, 6)); string(got) != "hello\n" || err != nil {
			t.Errorf("got %q, %v, want the echo", got, err)
		}
		c.Close()
		ws := DialWebSocket(t, chat, "/", nil)
		ws.Send(websocket.Binary, Numbered(1, 1000))
		ws.Expect(websocket.Binary, Numbered(1, 1000))
		ws.Close()
		told := make(Recorder, 8)
		cl := ClientOf(s, lines, "text")
		told.Watch(cl)
		Connect(t, cl)
		told.Expect(t, "connect")
		cl.Close()
		told.Expect(t, "close <nil>")
		s.Stop()
	})
}

func TestSecureServices(t *testing.T) {
	Engines(t, func(t *testing.T, k Kind) {
		_, w, a := ServeTLS(t, k, "text+ssl", Echo)
		if err := ShakeHands(t, w, a.ClientConfig("a.test")); err != nil {
			t.Errorf("got %v, want none", err)
		}
		if err := ShakeHands(t, w, a.ClientConfig("b.test")); err == nil {
			t.Error("a client that asks for another name got no error")
		}
	})
}

func TestBuiltin(t *testing.T) {
	for _, scheme := range []string{"text", "frame"} {
		got, err := Builtin(t, scheme).Encode(nil, nil, []byte("x"))
		if want := map[string]string{"text": "x\n", "frame": "\x00\x00\x00\x05x"}[scheme]; string(got) != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", scheme, got, err, want)
		}
	}
}

func TestFailure(t *testing.T) {
	s, _ := Serve(t, Kind{Network: "tcp"}, "text", nil)
	c, err := Failure(t, s.Master.NewClient("tcp://"+Refusing(t)))
	if c == nil || err == nil {
		t.Errorf("got %v, %v, want a connection and an error", c, err)
	}
}
