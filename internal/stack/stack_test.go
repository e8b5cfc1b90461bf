package stack

import (
	"reflect"
	"runtime"
	"strings"
	"testing"
)

const dump = `goroutine 1 [running]:
main.main()
	/src/main.go:7 +0x1d

goroutine 18 [chan receive, 5 minutes, locked to thread]:
example.com/shop.(*Cart).Add(0xc000123000, {0xc0001, 0x2, 0x3})
	/src/with a blank/cart.go:31 +0x105
example.com/shop.Map[...](...)
	/src/map.go:8
...additional frames elided...
created by example.com/shop%2ev2.Open in goroutine 1
	/src/open.go:12 +0x45

goroutine 7 gp=0xc000007500 m=0 mp=0x5b5f40 [IO wait (scan)]:
runtime.gopark(0x1?, 0x2?)
	/usr/local/go/src/runtime/proc.go:424 +0xce fp=0xc1 sp=0xc2 pc=0x43
`

func TestParse(t *testing.T) {
	want := []Goroutine{
		{ID: 1, State: "running", Frames: []Frame{{"main.main", "/src/main.go", 7}}},
		{ID: 18, State: "chan receive", Minutes: 5, Frames: []Frame{
			{"example.com/shop.(*Cart).Add", "/src/with a blank/cart.go", 31}, {"example.com/shop.Map[...]", "/src/map.go", 8},
		}, Creator: Frame{"example.com/shop%2ev2.Open", "/src/open.go", 12}},
		{ID: 7, State: "IO wait (scan)", Frames: []Frame{{"runtime.gopark", "/usr/local/go/src/runtime/proc.go", 424}}},
	}
	if got := Parse([]byte(dump)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, g := range want {
		if got, ok := Find([]byte(dump), g.ID); !ok || !reflect.DeepEqual(got, g) {
			t.Errorf("%+v, %v", got, ok)
		}
	}
	if _, ok := Find([]byte(dump), 8); ok {
		t.Error("found what is not there")
	}
}

func TestFrame(t *testing.T) {
	for _, test := range []struct {
		name, pkg, fn  string
		standard, main bool
	}{
		{"main.search", "main", "search", false, true},
		{"time.Sleep", "time", "Sleep", true, false},
		{"net/http.(*Server).Serve.func1", "net/http", "(*Server).Serve.func1", true, false},
		{"example.com/shop%2ev2.(*Cart).Add", "example.com/shop.v2", "(*Cart).Add", false, false},
		{"github.com/workerman-go/workerman/internal/stack.Map[...]", "github.com/workerman-go/workerman/internal/stack", "Map[...]", false, true},
		{"github.com/workerman-go/workermen.F", "github.com/workerman-go/workermen", "F", false, false},
		{"nonsense", "", "nonsense", true, false},
	} {
		f := Frame{Func: test.name}
		if f.Package() != test.pkg || f.Name() != test.fn || f.Standard() != test.standard || f.Main() != test.main {
			t.Errorf("%s: package %q, name %q, standard %v, main %v", test.name, f.Package(), f.Name(), f.Standard(), f.Main())
		}
	}
}

// The runtime of this version of Go prints what is expected.
func TestDump(t *testing.T) {
	ready, wait := make(chan uint64), make(chan struct{})
	defer close(wait)
	go func() {
		var buf [64]byte
		g, ok := parse(string(buf[:runtime.Stack(buf[:], false)]))
		if !ok {
			t.Error("the head is not understood")
		}
		ready <- g.ID
		<-wait
	}()
	id := <-ready
	for {
		g, ok := Find(Dump(1<<20), id)
		if !ok || len(g.Frames) != 1 || g.Frames[0].Name() != "TestDump.func1" || !strings.HasSuffix(g.Creator.Func, ".TestDump") {
			t.Fatalf("%+v, %v", g, ok)
		}
		if g.State == "chan receive" {
			break
		}
		runtime.Gosched()
	}
	if n := len(Dump(100)); n != 100 {
		t.Errorf("%d bytes, want 100", n)
	}
	if g, ok := Find(Dump(1<<20), 0); ok {
		t.Errorf("found %+v", g)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(dump), uint64(18))
	f.Add([]byte("goroutine 1 [x"), uint64(1))
	f.Add([]byte("goroutine 1 []:\n\t\n\t:1\ncreated by \n\t"), uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, id uint64) {
		for _, g := range Parse(b) {
			for _, frame := range g.Frames {
				frame.Standard()
				if frame.Package() == "" && frame.Name() != frame.Func {
					t.Errorf("%q loses a part", frame.Func)
				}
			}
		}
		if g, ok := Find(b, id); ok && g.ID != id {
			t.Errorf("asked for %d, got %d", id, g.ID)
		}
	})
}
