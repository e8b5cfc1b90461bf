package handover

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// A receiver says for each connection whether it takes it, and why not.
func TestReceive(t *testing.T) {
	good := func(id uint64) []byte { return (&State{ID: id}).Append(nil) }
	for _, c := range []struct {
		name    string
		states  [][]byte
		fds     int
		answers []byte
		adopted []uint64
		log     string
	}{
		{"all are taken", [][]byte{good(1), good(2)}, 2, []byte{taken, taken}, []uint64{1, 2}, ""},
		{"one is refused", [][]byte{good(1), good(9), good(2)}, 3, []byte{taken, refused, taken}, []uint64{1, 2}, errRefused.Error()},
		{"one is damaged", [][]byte{good(1)[1:], good(2)}, 2, []byte{refused, taken}, []uint64{2}, errState.Error()},
		{"one is of another version", [][]byte{append([]byte{9}, good(1)[1:]...)}, 1, []byte{refused}, nil, errState.Error()},
		{"one is nothing", [][]byte{nil}, 1, []byte{refused}, nil, errState.Error()},
		{"too few descriptors", [][]byte{good(1), good(2)}, 1, []byte{taken, refused}, []uint64{1}, "ulimit -n"},
		{"too many descriptors", [][]byte{good(1)}, 2, []byte{taken}, []uint64{1}, ""},
		{"an empty offer", nil, 0, []byte{}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := newLink(t)
			to := &successor{refuse: 9}
			var log bytes.Buffer
			received := make(chan error, 1)
			go func() { received <- Receive(b, slog.New(slog.NewTextHandler(&log, nil)), to.restore) }()
			var fds []int
			for range c.fds {
				fds = append(fds, int(newConn(t, 0).socket.Fd()))
			}
			message := []byte{linkOffer, 0, byte(len(c.states)), 0, 0, 0, 0}
			for _, s := range c.states {
				message = appendPart(message, s)
			}
			message[linkHead-1] = byte(len(message) - linkHead)
			if _, _, err := a.WriteMsgUnix(message, rightsOf(fds), nil); err != nil {
				t.Fatal(err)
			}
			answer := make([]byte, 1+len(c.answers))
			a.SetReadDeadline(time.Now().Add(testkit.Patience))
			if _, err := io.ReadFull(a, answer); err != nil || answer[0] != linkAnswer || !bytes.Equal(answer[1:], c.answers) {
				t.Errorf("got the answer %v, %v, want %v", answer, err, c.answers)
			}
			writeEnd(a)
			if err := testkit.Receive(t, received, "Receive returns"); err != nil {
				t.Errorf("got %v, want no error", err)
			}
			if got := to.ids(); !slices.Equal(got, c.adopted) {
				t.Errorf("adopted: got %v, want %v", got, c.adopted)
			}
			if !strings.Contains(log.String(), c.log) || c.log == "" && log.Len() > 0 {
				t.Errorf("got the log %q, want %q", log.String(), c.log)
			}
		})
	}
}

// Once the answer is written the connections are the receiver's, whether the sender lives to see
// it or not.
func TestReceiveFromDyingSender(t *testing.T) {
	a, b := newLink(t)
	o := new(offer)
	o.add(int(newConn(t, 1).socket.Fd()), (&State{ID: 1}).Append(nil))
	to := new(successor)
	received := make(chan error, 1)
	go func() { received <- Receive(b, slog.New(slog.DiscardHandler), to.restore) }()
	if answers, err := o.send(a, testkit.Patience); err != nil || !slices.Equal(answers, []byte{taken}) {
		t.Errorf("got %v, %v, want it taken", answers, err)
	}
	a.Close() // without the end
	if err := testkit.Receive(t, received, "Receive returns"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if got := to.ids(); !slices.Equal(got, []uint64{1}) {
		t.Errorf("adopted: got %v, want [1]", got)
	}
}

// An answer that can not be written leaves nothing behind.
func TestReceiveLosesAnswer(t *testing.T) {
	a, b := newLink(t)
	conn := newConn(t, 1)
	states := appendPart(nil, (&State{ID: 1}).Append(nil))
	if err := writeHead(a, linkOffer, []int{int(conn.socket.Fd())}, len(states)); err != nil {
		t.Fatal(err)
	}
	a.Write(states)
	a.CloseRead()
	to := new(successor)
	if err := Receive(b, slog.New(slog.DiscardHandler), to.restore); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v, want %v", err, syscall.EPIPE)
	}
	if got := to.ids(); len(got) != 0 {
		t.Errorf("adopted: got %v, want none", got)
	}
}

// Garbage on the link is an error, not more.
func TestReceiveGarbage(t *testing.T) {
	for _, garbage := range []string{
		"", "\x01\x00", "\x07\x00\x00\x00\x00\x00\x00", "\x01\x00\xff\x00\x00\x00\x00", "\x01\x00\x01\x00\x00\x00\x05x",
		"\x01\x00\x01\x00\x00\x00\x01\x05", "\x01\x00\x00\x00\x00\x00\x01x", "\x01\x00\x00\x00\x00\x00\x05x",
	} {
		a, b := newLink(t)
		a.Write([]byte(garbage))
		a.Close()
		if err := Receive(b, slog.New(slog.DiscardHandler), new(successor).restore); err == nil {
			t.Errorf("%q: got no error", garbage)
		}
	}
}
