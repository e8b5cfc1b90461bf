package handover

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
)

// states are connections of each kind.
func states() []*State {
	return []*State{
		{Key: "text://127.0.0.1:1", ID: 1, Codec: []byte{}, Data: []byte{}, Input: []byte{}},
		{
			Key: "http://0.0.0.0:80", ID: 1<<63 + 1, Language: HTTP, Full: true, Phase: Body, Since: 12, Arrived: 1 << 40,
			Remote: netip.MustParseAddrPort("[fe80::1%eth0]:65535"), Client: netip.MustParseAddrPort("192.0.2.1:1"),
			Age: 1 << 40, Idle: 3, BytesIn: 1, BytesOut: 2, Sends: 3, Received: 4, MaxPackage: 5, MaxSend: 6,
			Codec: []byte("parser"), Data: []byte{}, Input: []byte("GET"), Output: [][]byte{bytes.Repeat([]byte("x"), 1000)},
		},
		{
			Key: "ws", ID: 7, Language: WebSocket, OwnProtocol: true, Paused: true, Stateful: true, Handed: true,
			UID: "user", Groups: []string{"a", "", "c"}, Subprotocol: "chat", Pinged: 9,
			Codec: []byte("codec"), Data: []byte("data"), Input: []byte{0x81},
		},
	}
}

func TestState(t *testing.T) {
	for _, want := range states() {
		b := want.Append(nil)
		got, err := ReadState(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
		for n := range b {
			if got, err := ReadState(b[:n]); err == nil {
				t.Errorf("%d of %d bytes are enough for %+v", n, len(b), got)
			}
		}
		if _, err := ReadState(append(b, 0)); err == nil {
			t.Error("a byte too much goes unnoticed")
		}
	}
}

// TestStateDamaged changes a good state in one place.
func TestStateDamaged(t *testing.T) {
	for _, c := range []struct {
		name string
		at   int
		to   byte
	}{
		{"a later version", 0, version + 1},
		{"an unknown language", 1, byte(WebSocket) + 1},
		{"an unknown phase", 2, byte(Body) + 1},
		{"an unknown flag", 3, 1 << 5},
		{"a key longer than the rest", fixed + 12, 200},
	} {
		b := (&State{Key: "k"}).Append(nil)
		if _, err := ReadState(b); err != nil {
			t.Fatalf("undamaged: got %v, want no error", err)
		}
		b[c.at] = c.to
		if s, err := ReadState(b); err != errState {
			t.Errorf("%s: got %+v, %v, want %v", c.name, s, err, errState)
		}
	}
	far := &State{Age: maxNumber + 1}
	if s, err := ReadState(far.Append(nil)); err != errState {
		t.Errorf("an age beyond bounds: got %+v, %v, want %v", s, err, errState)
	}
}

// The binary form is a contract between versions of a program.
func TestStateForm(t *testing.T) {
	s := &State{Key: "k", ID: 2, Language: WebSocket, Phase: Head, Full: true, Age: -1, Output: [][]byte{{7}}}
	want := []byte{
		1, 2, 1, 4, // version, language, phase, flags
		2, 0, 0, 0, 0, 0, // counters
		1, 0, 0, 0, 0, 0, // numbers
		1, 'k', 0, 0, 0, 0, 0, // key, remote, client, user, subprotocol, groups
		0, 0, 0, 1, 7, // codec, data, input, output
	}
	if got := s.Append(nil); !bytes.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// Output that lies in several buffers travels as one.
func TestStateOutput(t *testing.T) {
	s := &State{Output: [][]byte{[]byte("a"), []byte("bc"), nil, []byte("d")}}
	got, err := ReadState(s.Append(nil))
	if err != nil || len(got.Output) != 1 || string(got.Output[0]) != "abcd" {
		t.Errorf("got %+v, %v, want the output abcd", got, err)
	}
}

func FuzzReadState(f *testing.F) {
	for _, s := range states() {
		f.Add(s.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want, err := ReadState(b)
		if err != nil {
			return
		}
		got, err := ReadState(want.Append(nil))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	})
}

func BenchmarkStateAppend(b *testing.B) {
	var buf []byte
	all := states()
	b.ReportAllocs()
	for i := range b.N {
		buf = all[i%len(all)].Append(buf[:0])
	}
}

func BenchmarkReadState(b *testing.B) {
	var all [][]byte
	for _, s := range states() {
		all = append(all, s.Append(nil))
	}
	b.ReportAllocs()
	for i := range b.N {
		if _, err := ReadState(all[i%len(all)]); err != nil {
			b.Fatal(err)
		}
	}
}
