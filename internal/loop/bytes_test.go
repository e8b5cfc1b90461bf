package loop

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"testing"
)

// pattern is n bytes in which every place is known: what is lost, doubled or moved
// shows.
func pattern(n int, seed byte) []byte {
	r := rand.NewChaCha8([32]byte{seed})
	b := make([]byte, n)
	r.Read(b)
	return b
}

// expect reads exactly want.
func (c *client) expect(want []byte) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c, got)
	if err != nil {
		c.t.Fatalf("read %d of %d bytes: %v", n, len(want), err)
	}
	same(c.t, got, want)
}

// expectEnd reads exactly want and then the end of the stream.
func (c *client) expectEnd(want []byte) {
	c.t.Helper()
	got, err := io.ReadAll(c)
	if err != nil {
		c.t.Fatalf("read %d of %d bytes: %v", len(got), len(want), err)
	}
	same(c.t, got, want)
}

func same(t testing.TB, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	t.Fatalf("%d bytes differ from the %d wanted from byte %d on", len(got), len(want), at)
}

// framed puts b behind its length.
func framed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// frames makes a receive function that cuts framed messages. With known set it tells
// the stream the size of a message that has not arrived.
func frames(known bool, message func(c *conn, b []byte)) func(*conn, []byte) (int, int) {
	return func(c *conn, b []byte) (used, want int) {
		for !c.Paused() && c.Open() && len(b)-used >= 4 {
			size := 4 + int(binary.BigEndian.Uint32(b[used:]))
			if size > len(b)-used {
				if known {
					want = size
				}
				return used, want
			}
			message(c, b[used+4:used+size])
			used += size
		}
		return used, 0
	}
}
