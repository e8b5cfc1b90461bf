package workerman

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
)

// travellers are states of connections.
func travellers() []*passenger {
	return []*passenger{
		{key: "text://127.0.0.1:1", id: 1, state: []byte{}, data: []byte{}, input: []byte{}, output: []byte{}},
		{
			key: "http://0.0.0.0:80", id: 1<<63 + 1, speaks: speaksHTTP, full: true, phase: httpBody, since: 12, arrived: 1 << 40,
			remote: netip.MustParseAddrPort("[fe80::1%eth0]:65535"), client: netip.MustParseAddrPort("192.0.2.1:1"),
			age: 1 << 40, idle: 3, bytesIn: 1, bytesOut: 2, sends: 3, received: 4, maxPackage: 5, maxSend: 6,
			state: []byte("parser"), data: []byte{}, input: []byte("GET"), output: bytes.Repeat([]byte("x"), 1000),
		},
		{
			key: "ws", id: 7, speaks: speaksWebSocket, own: true, paused: true, stateful: true, handed: true,
			uid: "user", groups: []string{"a", "", "c"}, subprotocol: "chat", pinged: 9,
			state: []byte("codec"), data: []byte("data"), input: []byte{0x81}, output: []byte{},
		},
	}
}

func TestPassenger(t *testing.T) {
	for _, p := range travellers() {
		b := p.append(nil, nil)
		got, err := readPassenger(b)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v, %v\nbecame of %+v", got, err, p)
		}
		for n := range b {
			if got, err := readPassenger(b[:n]); err == nil {
				t.Errorf("%d of %d bytes are enough for %+v", n, len(b), got)
			}
		}
		if _, err := readPassenger(append(b, 0)); err == nil {
			t.Error("a byte too much goes unnoticed")
		}
		if b[0]++; b[0] != passengerVersion+1 {
			t.Fatal("the version is not the first byte")
		}
		if _, err := readPassenger(b); err == nil {
			t.Error("a later version goes unnoticed")
		}
	}
}

// Output that comes in pieces travels as one.
func TestPassengerOutput(t *testing.T) {
	p := &passenger{output: []byte("a")}
	got, err := readPassenger(p.append(nil, [][]byte{[]byte("bc"), nil, []byte("d")}))
	if err != nil || string(got.output) != "abcd" {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzPassenger(f *testing.F) {
	for _, p := range travellers() {
		f.Add(p.append(nil, nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPassenger(b)
		if err != nil {
			return
		}
		again, err := readPassenger(p.append(nil, nil))
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Errorf("%+v, %v\nbecame of %+v", again, err, p)
		}
	})
}
