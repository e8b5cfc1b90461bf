package websocket

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

func TestCodecIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Codec{}); unsafe.Sizeof(uintptr(0)) == 8 && size != 48 {
		t.Errorf("a Codec takes %d bytes, not 48", size)
	}
}

// The length is refused before one byte of the payload has come.
func TestLimitBeforePayload(t *testing.T) {
	for _, x := range []struct {
		head string
		code int
	}{
		{"82fe 03e9", 1009},
		{"82ff 0000000000010000", 1009},
		{"82ff 7fffffffffffffff", 1009},
		{"82ff ffffffffffffffff", 1002},
		{"82fe 03e8", 0},
	} {
		f := newFeeder(t, Server, &Options{MaxMessageSize: 1000}, Deflate{})
		f.feed(append(unhex(t, x.head), 1, 2, 3, 4), 1)
		if f.code() != x.code {
			t.Errorf("%s: %v", x.head, f.err)
		}
	}
}

// What is wrong in the first two bytes is refused with them.
func TestWrongStart(t *testing.T) {
	for _, x := range []struct {
		role  Role
		start string
	}{
		{Server, "8105"}, {Client, "8185"}, {Server, "c185"}, {Server, "8385"}, {Server, "8085"}, {Server, "89fe"}, {Server, "0985"},
	} {
		f := newFeeder(t, x.role, &Options{}, Deflate{})
		f.feed(unhex(t, x.start), 1)
		if f.code() != 1002 {
			t.Errorf("%s: %v", x.start, f.err)
		}
		if ev, used, need, err := f.c.Next([]byte("more")); ev.Op != 0 || used != 4 || need != 0 || err != nil {
			t.Errorf("after the error: %v %d %d %v", ev, used, need, err)
		}
	}
}

func TestFragmentLimit(t *testing.T) {
	for _, n := range []int{4, 5} {
		in := frames{role: Client}
		in.add(false, 0, Text, "")
		for i := 2; i <= n; i++ {
			in.add(i == n, 0, Continuation, "")
		}
		f := newFeeder(t, Server, &Options{MaxFragments: 4}, Deflate{})
		f.feed(in.b, 0)
		if (f.err == nil) != (n == 4) {
			t.Errorf("%d fragments: %v", n, f.err)
		}
	}
}

// The receiving and the sending half share nothing that changes: with the race detector
// this fails if they do.
func TestHalvesOnTwoGoroutines(t *testing.T) {
	o := &Options{Compression: Compression{Threshold: 1}}
	for _, d := range []Deflate{{}, noTakeover, takeover} {
		peer, c, f := NewCodec(Client, o, d), NewCodec(Server, o, d), newFeeder(t, Client, o, d)
		var in, out []byte
		for range 100 {
			in, _ = peer.AppendMessage(in, Text, json(1000))
		}
		in, _ = peer.AppendClose(in, 1000, "")
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 100 {
				out, _ = c.AppendMessage(out, Text, json(1000))
			}
			out, _ = c.AppendClose(out, 1000, "")
		})
		got := 0
		for len(in) > 0 {
			_, used, _, err := c.Next(in)
			if err != nil {
				t.Fatal(err)
			}
			in = in[used:]
			got++
		}
		c.Release()
		wg.Wait()
		f.feed(out, 0)
		if got != 101 || f.err != nil || len(f.events) != 101 {
			t.Errorf("%+v: %d events, %d sent, %v", d, got, len(f.events), f.err)
		}
	}
}

// What is lent to one connection stays as it is while others receive and send.
func TestLentDataIsNotShared(t *testing.T) {
	const count = 50
	o := &Options{Compression: Compression{Threshold: 1}}
	var servers [count]*Codec
	var lent, want [count][]byte
	for i := range count {
		d := []Deflate{{}, noTakeover, takeover}[i%3]
		client := NewCodec(Client, o, d)
		servers[i] = NewCodec(Server, o, d)
		want[i] = json(100 + 37*i)
		want[i][0] = byte('A' + i%26)
		in, err := client.AppendMessage(nil, Text, want[i])
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			in = split(t, in, Client, 50)
		}
		for len(in) > 0 {
			ev, used, _, err := servers[i].Next(in)
			if err != nil || used == 0 {
				t.Fatal(used, err)
			}
			in, lent[i] = in[used:], ev.Data
		}
		for j := range i {
			if !bytes.Equal(lent[j], want[j]) {
				t.Fatalf("data of connection %d changed when %d received", j, i)
			}
		}
	}
	for i, c := range servers {
		c.Release()
		c.Release() // once too often does no harm
		if _, err := c.AppendMessage(nil, Text, want[i]); err != nil {
			t.Error(err)
		}
	}
	a, b := newBuffer(1), newBuffer(1)
	if a == b {
		t.Error("a buffer was given back twice")
	}
}

// The data of a whole frame lies in the lent buffer.
func TestNoCopy(t *testing.T) {
	in := frames{role: Client}
	in.add(true, 0, Text, "hello")
	c := NewCodec(Server, &Options{}, Deflate{})
	ev, used, _, err := c.Next(in.b)
	if err != nil || used != len(in.b) || &ev.Data[0] != &in.b[6] || cap(ev.Data) != 5 {
		t.Fatalf("%v, %d of %d, %v", ev, used, len(in.b), err)
	}
}

func TestNeed(t *testing.T) {
	in := frames{role: Client}
	in.add(false, 0, Binary, "fragment")
	first := len(in.b)
	in.add(true, 0, Continuation, strings.Repeat("x", 1000))
	size := len(in.b) - first
	c := NewCodec(Server, &Options{}, Deflate{})
	for n, want := range map[int]int{first + 3: 0, first + 8: size, first + 500: size, len(in.b) - 1: size} {
		c = NewCodec(Server, &Options{}, Deflate{})
		if ev, used, need, err := c.Next(bytes.Clone(in.b[:n])); ev.Op != 0 || used != first || need != want || err != nil {
			t.Errorf("%d bytes: %v %d %d %v", n, ev, used, need, err)
		}
	}
	if c.Release(); c.message != nil || c.InMessage() {
		t.Error("Release keeps a message")
	}
}

func TestLostInput(t *testing.T) {
	in := frames{role: Client}
	in.add(true, 0, Binary, strings.Repeat("x", 50))
	c := NewCodec(Server, &Options{}, Deflate{})
	c.Next(bytes.Clone(in.b[:40]))
	if _, _, _, err := c.Next(bytes.Clone(in.b[:20])); err == nil {
		t.Error("a shorter input is taken")
	}
}

// Between messages a codec owns nothing, whatever has gone through it.
func TestIdleOwnsNothing(t *testing.T) {
	d := Deflate{true, true, true, 15, 15}
	o := &Options{Compression: Compression{Enabled: true, Threshold: 1}}
	client := NewCodec(Client, o, d)
	message := []byte(strings.Repeat("compress me ", 1000))
	input, err := client.AppendMessage(nil, Text, message)
	if err != nil {
		t.Fatal(err)
	}
	in := frames{role: Client}
	in.add(false, 0, Text, "frag")
	in.add(true, 0, Continuation, "ment")
	f := newFeeder(t, Server, o, d)
	f.feed(append(input, in.b...), 100)
	if f.err != nil || len(f.events) != 2 {
		t.Fatal(f.events, f.err)
	}
	for _, c := range []*Codec{f.c, client} {
		if c.message != nil || c.lent || c.windows != nil || c.InMessage() {
			t.Errorf("%+v", c)
		}
	}
}

func TestEchoAllocatesNothing(t *testing.T) {
	for _, size := range []int{64, 1024, 100_000} {
		in := frames{role: Client}
		in.add(true, 0, Text, strings.Repeat("x", size))
		buf := make([]byte, len(in.b))
		out := make([]byte, 0, 2*len(in.b))
		c := NewCodec(Server, &Options{}, Deflate{})
		client := NewCodec(Client, &Options{}, Deflate{})
		if n := testing.AllocsPerRun(100, func() {
			copy(buf, in.b)
			ev, _, _, err := c.Next(buf)
			if err != nil {
				t.Fatal(err)
			}
			if out, err = c.AppendMessage(out[:0], ev.Op, ev.Data); err != nil {
				t.Fatal(err)
			}
			if ev, _, _, err = client.Next(out); err != nil || len(ev.Data) != size {
				t.Fatal(len(ev.Data), err)
			}
			out, _ = client.AppendMessage(out[:0], Binary, buf[:size])
		}); n != 0 {
			t.Errorf("%d bytes: %v allocations", size, n)
		}
	}
}

func TestSend(t *testing.T) {
	c := NewCodec(Server, &Options{}, Deflate{})
	for _, op := range []Opcode{Continuation, Close, Ping, Pong, 3} {
		if b, err := c.AppendMessage([]byte("x"), op, nil); !errors.Is(err, ErrOpcode) || len(b) != 1 {
			t.Errorf("%v as a message: %q, %v", op, b, err)
		}
	}
	for _, op := range []Opcode{Continuation, Text, Close} {
		if _, err := c.AppendControl(nil, op, nil); !errors.Is(err, ErrOpcode) {
			t.Errorf("%v as control: %v", op, err)
		}
	}
	if _, err := c.AppendControl(nil, Ping, make([]byte, 126)); !errors.Is(err, ErrControlSize) {
		t.Error(err)
	}
	head, ok := c.AppendHead(nil, Text, 70000)
	if whole, _ := c.AppendMessage(nil, Text, make([]byte, 70000)); !ok || !bytes.HasPrefix(whole, head) || len(head) != 10 {
		t.Errorf("head %x, %v", head, ok)
	}
	if _, ok := NewCodec(Client, &Options{}, Deflate{}).AppendHead(nil, Text, 1); ok {
		t.Error("a client's head without its mask")
	}
	for _, x := range []struct {
		code   int
		reason string
		want   seen
	}{
		{1000, "", seen{Close, "", 1000}},
		{CloseNoStatus, "lost", seen{Close, "", CloseNoStatus}},
		{CloseAbnormal, "why", seen{Close, "why", 1011}},
		{4000, strings.Repeat("ä", 100), seen{Close, strings.Repeat("ä", 61), 4000}},
		{1001, "a\xffb", seen{Close, "a\ufffdb", 1001}},
	} {
		c := NewCodec(Server, &Options{}, Deflate{})
		b, err := c.AppendClose(nil, x.code, x.reason)
		f := newFeeder(t, Client, &Options{}, Deflate{})
		f.feed(b, 0)
		if err != nil || f.err != nil || !equalEvents(f.events, []seen{x.want}) {
			t.Errorf("%d %q: %v, %v, %v", x.code, x.reason, f.events, err, f.err)
		}
		_, err1 := c.AppendClose(nil, 1000, "")
		_, err2 := c.AppendMessage(nil, Text, nil)
		_, err3 := c.AppendControl(nil, Ping, nil)
		_, ok := c.AppendHead(nil, Text, 1)
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, ErrCloseSent) || ok {
				t.Errorf("after a close frame: %v", err)
			}
		}
	}
	if got := (&CloseError{Code: 1009}).Error() + (&CloseError{1002, "x"}).Error(); got != "websocket: close 1009websocket: close 1002: x" {
		t.Error(got)
	}
	if got := Text.String() + Binary.String() + Continuation.String() + Opcode(5).String(); got != "textbinarycontinuationopcode 5" {
		t.Error(got)
	}
}

// A codec that moves to another process in the middle of everything goes on as if it had
// not moved.
func TestState(t *testing.T) {
	d := Deflate{true, false, false, 15, 12}
	o := &Options{Compression: Compression{Enabled: true, ContextTakeover: true, Threshold: 1}}
	peer := NewCodec(Client, o, d)
	var input []byte
	add := func(b []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		input = b
	}
	similar := strings.Repeat("similar messages ", 20)
	add(peer.AppendMessage(input, Text, []byte(similar)))
	add(peer.AppendMessage(input, Text, []byte(similar+"2")))
	in := frames{role: Client, b: input}
	in.add(false, 0, Text, "grüße")
	in.add(true, 0, Ping, "p")
	in.add(true, 0, Continuation, " an alle: ä")
	input = in.b
	add(peer.AppendMessage(input, Binary, []byte(similar+"3")))
	add(peer.AppendClose(input, 1000, "bye"))
	still := newFeeder(t, Server, o, d)
	still.feed(input, 0)
	if still.err != nil || len(still.events) != 6 {
		t.Fatal(still.events, still.err)
	}
	moving := newFeeder(t, Server, o, d)
	client := newFeeder(t, Client, o, d)
	for i := range input {
		moving.feed(input[i:i+1], 0)
		state := moving.c.AppendState(nil)
		for n := range len(state) {
			if _, err := RestoreCodec(o, state[:n]); !errors.Is(err, ErrState) {
				t.Fatalf("state of %d instead of %d bytes: %v", n, len(state), err)
			}
		}
		var err error
		if moving.c, err = RestoreCodec(o, state); err != nil {
			t.Fatal(err)
		}
		if i%50 == 0 {
			b, err := moving.c.AppendMessage(nil, Text, []byte(similar))
			if err != nil || i > 0 && len(b) > 20 {
				t.Fatalf("%d bytes, %v", len(b), err)
			}
			client.feed(b, 0)
		}
	}
	if moving.err != nil || !equalEvents(moving.events, still.events) || client.err != nil || client.events[len(client.events)-1].data != similar {
		t.Errorf("%v, %v; %v", moving.events, moving.err, client.err)
	}
	if _, err := RestoreCodec(o, append(moving.c.AppendState(nil), 0)); err == nil {
		t.Error("state with a tail")
	}
}
