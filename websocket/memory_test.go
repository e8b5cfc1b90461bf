package websocket

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// conversation takes messages from a client and echoes them, as a server does all day.
type conversation struct {
	t      testing.TB
	client *Codec
	server *Codec
	in     []byte
	out    []byte
}

func converse(t testing.TB, o *Options, d Deflate) *conversation {
	return &conversation{t: t, client: NewCodec(Client, o, d), server: NewCodec(Server, o, d)}
}

// echo sends a message there and back.
func (x *conversation) echo(message []byte) {
	var err error
	if x.in, err = x.client.AppendMessage(x.in[:0], Text, message); err != nil {
		x.t.Fatal(err)
	}
	ev := x.take(x.server, x.in)
	if x.out, err = x.server.AppendMessage(x.out[:0], ev.Op, ev.Data); err != nil {
		x.t.Fatal(err)
	}
	x.idle(x.server)
	if ev = x.take(x.client, x.out); len(ev.Data) != len(message) {
		x.t.Fatalf("%d bytes came back as %d", len(message), len(ev.Data))
	}
	x.idle(x.client)
}

func (x *conversation) take(c *Codec, b []byte) Event {
	ev, used, _, err := c.Next(b)
	if err != nil || used != len(b) || ev.Op != Text {
		x.t.Fatal(ev.Op, used, err)
	}
	return ev
}

// idle is the call that finds no further event.
func (x *conversation) idle(c *Codec) {
	if ev, _, _, err := c.Next(nil); ev.Op != Continuation || err != nil {
		x.t.Fatal(ev.Op, err)
	}
}

// json is a text that compresses as messages of programs do.
func json(size int) []byte {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `{"id":%d,"name":"player %d","x":%d,"y":%d},`, i, i*7%50, i*i%1000, i*31%1000)
	}
	return []byte(b.String()[:size])
}

func TestCompressedEchoAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("pools lose what they are given")
	}
	for _, d := range []Deflate{noTakeover, takeover, {true, false, false, 12, 12}} {
		for _, size := range []int{64, 1 << 10, 64 << 10} {
			x := converse(t, &Options{Compression: Compression{Threshold: 1}}, d)
			message := json(size)
			// The windows fill, and the pools.
			for range 3 + 100<<10/size {
				x.echo(message)
			}
			// A collection empties the pools, so that not every round can be free.
			if n := testing.AllocsPerRun(50, func() { x.echo(message) }); n >= 1 {
				t.Errorf("%+v: %d bytes: %v allocations", d, size, n)
			}
		}
	}
}

func heap() uint64 {
	// Twice, as pools give up what they hold with the second collection only.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What connections need that have had traffic and are idle now.
func TestIdleMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("pools lose what they are given")
	}
	for _, x := range []struct {
		name   string
		d      Deflate
		count  int
		rounds int
		most   int // bytes per connection
	}{
		{"plain", Deflate{}, 2000, 2, 64},
		{"no takeover", noTakeover, 2000, 2, 64},
		{"takeover, 9 bits", Deflate{true, false, false, 9, 9}, 2000, 2, 2<<9 + 128},
		{"takeover, 12 bits", Deflate{true, false, false, 12, 12}, 1000, 3, 2<<12 + 128},
		{"takeover", takeover, 200, 12, 2<<15 + 512},
	} {
		o := &Options{Compression: Compression{Threshold: 1}}
		message := json(3000)
		servers := make([]*Codec, x.count)
		before := heap()
		for i := range servers {
			c := converse(t, o, x.d)
			for range x.rounds {
				c.echo(message)
			}
			servers[i] = c.server
		}
		used := int(heap()-before) / x.count
		runtime.KeepAlive(servers)
		runtime.KeepAlive(message)
		t.Logf("%s: %d bytes", x.name, used)
		if used > x.most {
			t.Errorf("%s: an idle connection needs %d bytes, at most %d", x.name, used, x.most)
		}
	}
}

func TestBroadcastAllocatesNothing(t *testing.T) {
	const count = 10_000
	o := &Options{}
	codecs := make([]*Codec, count)
	for i := range codecs {
		codecs[i] = NewCodec(Server, o, noTakeover)
	}
	p, err := NewPrepared(Text, json(2000))
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	if n := testing.AllocsPerRun(3, func() {
		for _, c := range codecs {
			frame, ok := p.Frame(c)
			if !ok || frame[0] != 0xc1 {
				t.Fatal("not compressed", ok)
			}
			sent += len(frame)
		}
	}); n != 0 {
		t.Errorf("%v allocations for %d connections", n, count)
	}
	if len(p.packed) != 1 || sent/count > 4*1000 {
		t.Errorf("compressed %d times, %d bytes", len(p.packed), sent)
	}
}
