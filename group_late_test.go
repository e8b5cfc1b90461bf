package workerman_test

import (
	"io"
	"slices"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// A group that main takes before Run is the one that connections join later.
func TestGroupTakenBeforeTheStart(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		var room workerman.Group
		joined := make(chan struct{}, 2)
		_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			room = w.Group("room")
			if n, err := room.Send([]byte("too early")); n != 0 || err != nil {
				t.Errorf("Send before the start: got %d, %v, want 0 and no error", n, err)
			}
			w.OnConnect = func(c *workerman.Conn) { c.Join("room"); joined <- struct{}{} }
		})
		clients := []io.Reader{dial(t, w), dial(t, w)}
		for range clients {
			testkit.Receive(t, joined, "a member")
		}
		if n, members := room.Count(), slices.Collect(room.Members()); n != 2 || len(members) != 2 {
			t.Errorf("got a count of %d and %d members, want 2", n, len(members))
		}
		if n, err := room.Send([]byte("hello")); n != 2 || err != nil {
			t.Errorf("Send: got %d, %v, want 2 and no error", n, err)
		}
		for i, client := range clients {
			got := make([]byte, len("hello"))
			if _, err := io.ReadFull(client, got); err != nil || string(got) != "hello" {
				t.Errorf("client %d: got %q, %v, want %q", i, got, err, "hello")
			}
		}
	})
}

// The zero Group has no members, and so has the group of a Worker that nobody made.
func TestGroupOfNoWorkerIsEmpty(t *testing.T) {
	for name, group := range map[string]workerman.Group{"zero": {}, "of a zero Worker": new(workerman.Worker).Group("room")} {
		n, err := group.Send([]byte("x"))
		if members := slices.Collect(group.Members()); n != 0 || err != nil || group.Count() != 0 || len(members) != 0 {
			t.Errorf("%s: got %d sent, %v, a count of %d, %d members, want none", name, n, err, group.Count(), len(members))
		}
	}
}
