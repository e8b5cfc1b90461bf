package conns

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/frame"
)

// The contract of a connection, line by line, on both engines and both transports: faults of its peer.

// faults are what bad peers do, and what the log line about it must say.
func TestFaultsCloseOneConnectionWithOneLine(t *testing.T) {
	faults := []struct {
		name   string
		scheme string
		send   string
		reason error
		words  string
	}{
		{"oversize frame", "frame", "\x00\x10\x00\x00", workerman.ErrTooLarge, "1048576 bytes"},
		{"frame length below 4", "frame", "\x00\x00\x00\x03abc", frame.ErrLength, "below 4"},
		{"never-ending line", "text", strings.Repeat("x", 70_000), workerman.ErrTooLarge, "without an end"},
		{"oversize line", "text", strings.Repeat("x", 70_000) + "\n", workerman.ErrTooLarge, "MaxPackageSize"},
		{"silence", "text", "", workerman.ErrIdle, "nothing received"},
		{"half a message", "text", "half", workerman.ErrHandshake, "no message within"},
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				closed := make(chan error, 2)
				s, w := serve(t, k, f.scheme, func(w *workerman.Worker) {
					w.MaxPackageSize = 65536
					w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
					w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
					switch f.reason {
					case workerman.ErrIdle:
						w.IdleTimeout = 50 * time.Millisecond
					case workerman.ErrHandshake:
						w.HandshakeTimeout = 50 * time.Millisecond
					}
				})
				c := dial(t, w)
				io.WriteString(c, f.send)
				peer := c.LocalAddr().String()
				if rest, err := io.ReadAll(c); len(rest) > 0 {
					t.Errorf("the client got %q, %v, want nothing", rest, err)
				}
				c.Close() // or the worker would wait a second for it
				if err := receive(t, closed, "OnClose"); !errors.Is(err, f.reason) {
					t.Errorf("Err is %v, want %v", err, f.reason)
				}
				if k.Network == "unix" {
					peer = "unix"
				}
				if lines := s.Log.Lines("connection closed", "worker=under-test", "peer="+peer, f.words); len(lines) != 1 || len(s.Log.Lines("connection closed")) != 1 {
					t.Errorf("want one line about %s with %q, the log is\n%s", peer, f.words, s.Log)
				}
			})
		})
	}
}

func TestOthersAreServedBesideABadPeer(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		closed := make(chan error, 1)
		_, w := serve(t, k, "frame", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
			w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
		})
		good, bad := dial(t, w), dial(t, w)
		bad.Write([]byte{0xff, 0xff, 0xff, 0xff})
		receive(t, closed, "OnClose of the bad peer")
		for i := range 100 {
			m, _ := frame.Append(nil, numbered(i, 100))
			good.Write(m)
			if got, err := readFrame(good); err != nil || !bytes.Equal(got, numbered(i, 100)) {
				t.Fatalf("answer %d is %q, %v, want %q", i, got, err, numbered(i, 100))
			}
		}
	})
}
