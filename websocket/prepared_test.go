package websocket

import (
	"errors"
	"strings"
	"sync"
	"testing"
)

func TestPrepared(t *testing.T) {
	long := string(corpus()[26])
	p, err := NewPrepared(Text, []byte(long))
	if op, data := p.Data(); err != nil || op != Text || string(data) != long {
		t.Fatal(err)
	}
	if _, err := NewPrepared(Ping, nil); !errors.Is(err, ErrOpcode) {
		t.Error(err)
	}
	o := &Options{}
	var frames []string
	for _, d := range []Deflate{{}, takeover, noTakeover, {true, false, false, 10, 15}, {true, true, true, 10, 15}} {
		c, f := NewCodec(Server, o, d), newFeeder(t, Client, o, d)
		for range 2 {
			// Before and after it a message of the connection's own.
			b, _ := c.AppendMessage(nil, Text, []byte(long))
			f.feed(b, 0)
			frame, ok := p.Frame(c)
			f.feed(frame, 0)
			if !ok || f.err != nil || f.events[len(f.events)-1] != sawText(long) {
				t.Fatalf("%+v: %v, %v", d, ok, f.err)
			}
			frames = append(frames, string(frame))
		}
		if d == takeover {
			if b, _ := c.AppendMessage(nil, Text, []byte(long)); len(b) > len(frames[2])/10 {
				t.Errorf("the prepared message is not in the window: %d bytes", len(b))
			}
		}
	}
	for _, pair := range [][2]int{{0, 1}, {2, 3}, {2, 4}, {6, 8}} {
		if frames[pair[0]] != frames[pair[1]] {
			t.Errorf("frames %v differ", pair)
		}
	}
	if len(p.packed) != 2 {
		t.Errorf("compressed %d times", len(p.packed))
	}
	if _, ok := p.Frame(NewCodec(Client, o, Deflate{})); ok {
		t.Error("a client shares a frame")
	}
	c := NewCodec(Server, o, Deflate{})
	if _, err := c.AppendClose(nil, 1000, ""); err != nil {
		t.Error(err)
	}
	if _, ok := p.Frame(c); ok {
		t.Error("a frame after a close frame")
	}
}

func TestPreparedNotSmaller(t *testing.T) {
	noise := string(corpus()[23])
	p, _ := NewPrepared(Binary, []byte(noise))
	c := NewCodec(Server, &Options{}, takeover)
	for range 2 {
		frame, _ := p.Frame(c)
		if h, _, _ := parseHeader(frame); h.RSV != 0 || len(c.outWindow()) != 0 {
			t.Error("noise is sent compressed")
		}
	}
}

func TestPreparedOnManyGoroutines(t *testing.T) {
	p, _ := NewPrepared(Text, []byte(strings.Repeat("x", 1000)))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c := NewCodec(Server, &Options{}, Deflate{true, true, true, uint8(12 + i%4), 15})
			for range 100 {
				if frame, ok := p.Frame(c); !ok || len(frame) > 100 {
					t.Errorf("%d bytes", len(frame))
				}
			}
		})
	}
	wg.Wait()
	if len(p.packed) != 4 {
		t.Errorf("compressed %d times", len(p.packed))
	}
}
