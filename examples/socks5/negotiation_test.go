package main

import (
	"net/netip"
	"testing"
)

func TestInput(t *testing.T) {
	for _, c := range []struct {
		stage stage
		in    string
		size  int
		fails bool
	}{
		{stageMethods, "", 0, false},
		{stageMethods, "\x05", 0, false},
		{stageMethods, "\x05\x02\x00\x02rest", 4, false},
		{stageMethods, "\x05\x00", 2, false},
		{stageMethods, "\x04\x01", 0, true}, // SOCKS4
		{stageMethods, "GET / HTTP/1.1\r\n", 0, true},
		{stagePassword, "\x01", 0, false},
		{stagePassword, "\x01\x03an", 0, false},
		{stagePassword, "\x01\x03ann\x05app", 11, false},
		{stagePassword, "\x01\x00\x00", 3, false},
		{stagePassword, "\x05", 0, true},
		{stageRequest, "\x05\x01\x00", 0, false},
		{stageRequest, "\x05\x01\x00\x01", 10, false},
		{stageRequest, "\x05\x01\x00\x04", 22, false},
		{stageRequest, "\x05\x01\x00\x03", 0, false},
		{stageRequest, "\x05\x01\x00\x03\x0bexample.com", 18, false},
		{stageRequest, "\x05\x01\x00\x09", 4, false},
		{stageRequest, "\x04\x01\x00\x01", 0, true},
	} {
		if size, err := c.stage.Input(nil, []byte(c.in)); size != c.size || (err != nil) != c.fails {
			t.Errorf("stage %d, %q: %d, %v", c.stage, c.in, size, err)
		}
	}
}

func TestMessages(t *testing.T) {
	for in, want := range map[string]request{
		"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50": {1, "127.0.0.1", 80},
		"\x05\x03\x00\x03\x0bexample.com\x01\xbb":  {3, "example.com", 443},
		"\x05\x01\x00\x04" + "\x20\x01\x0d\xb8" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" + "\x00\x01": {1, "2001:db8::1", 1},
	} {
		if got, err := parseRequest([]byte(in)); got != want || err != nil {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"\x05\x01\x00\x09", "\x05\x01\x00\x03\x00\x00\x50"} {
		if got, err := parseRequest([]byte(in)); err == nil {
			t.Errorf("%q: %+v", in, got)
		}
	}
	if name, password := login([]byte("\x01\x03ann\x05apple")); name != "ann" || password != "apple" {
		t.Errorf("%q %q", name, password)
	}
	for address, want := range map[string]string{
		"127.0.0.1:80": "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50",
		"[::1]:80":     "\x05\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x50",
	} {
		if got := string(reply(granted, netip.MustParseAddrPort(address))); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
	if got := string(reply(notAllowed, netip.AddrPort{})); got != "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00" {
		t.Errorf("%q", got)
	}
}

// Whatever a client sends, a message that Input has measured can be read.
func FuzzNegotiation(f *testing.F) {
	f.Add(byte(0), []byte("\x05\x01\x00"))
	f.Add(byte(1), []byte("\x01\x03ann\x05apple"))
	f.Add(byte(2), []byte("\x05\x01\x00\x03\x0bexample.com\x01\xbb"))
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		s := stage(which % 3)
		size, err := s.Input(nil, b)
		for i := range b { // what has been said once holds when more has come
			if n, early := s.Input(nil, b[:i]); n != 0 && n != size || early != nil && err == nil {
				t.Fatalf("%d, %v with %d bytes, %d, %v with all", n, early, i, size, err)
			}
		}
		if err != nil || size == 0 || size > len(b) {
			return
		}
		switch message := b[:size]; s {
		case stageMethods:
			chooseMethod(message, true)
		case stagePassword:
			login(message)
		case stageRequest:
			parseRequest(message)
		}
	})
}
