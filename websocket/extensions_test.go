package websocket

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseExtensions(t *testing.T) {
	for list, want := range map[string]string{
		"":                        "[]",
		" \t":                     "[]",
		"foo":                     "[{foo []}]",
		"foo, bar; baz=2":         "[{foo []} {bar [{baz 2 true}]}]",
		"foo;bar ; baz = 1 ,qux":  "[{foo [{bar  false} {baz 1 true}]} {qux []}]",
		`foo; bar="2"`:            "[{foo [{bar 2 true}]}]",
		`foo; bar="a\b"`:          "[{foo [{bar ab true}]}]",
		"permessage-deflate, , x": "bad",
		"foo,":                    "bad",
		",foo":                    "bad",
		"foo;":                    "bad",
		"foo; =1":                 "bad",
		"foo; bar=":               "bad",
		`foo; bar=""`:             "bad",
		`foo; bar="a b"`:          "bad",
		`foo; bar="a`:             "bad",
		`foo; bar="a\`:            "bad",
		"foo bar":                 "bad",
		"foo; bar baz":            "bad",
		"foo@":                    "bad",
	} {
		got := "bad"
		if all, ok := parseExtensions(list); ok {
			got = fmt.Sprint(all)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", list, got, want)
		}
	}
}

func TestServerNegotiation(t *testing.T) {
	on := Compression{Enabled: true, ContextTakeover: true}
	small := Compression{Enabled: true, ContextTakeover: true, WindowBits: 10}
	for _, x := range []struct {
		o            Compression
		offer, reply string // an empty reply declines
	}{
		{Compression{}, "permessage-deflate", ""},
		{on, "", ""},
		{on, "permessage-deflate", "permessage-deflate"},
		{on, "Permessage-Deflate", "permessage-deflate"},
		{on, "x-webkit-deflate-frame", ""},
		{on, "permessage-deflate; client_max_window_bits", "permessage-deflate"},
		{on, "permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10"},
		{on, "permessage-deflate; client_max_window_bits=15", "permessage-deflate"},
		{on, "permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=10"},
		{on, `permessage-deflate; server_max_window_bits="10"`, "permessage-deflate; server_max_window_bits=10"},
		{on, "permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15"},
		{on, "permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=8"},
		{on, "permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"},
		{on, "permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"},
		{Compression{Enabled: true}, "permessage-deflate", "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
		{Compression{Enabled: true, ContextTakeover: true, Stateless: true}, "permessage-deflate", "permessage-deflate; server_no_context_takeover"},
		// Windows of the server's wish: only clients that say so can be limited.
		{small, "permessage-deflate", "permessage-deflate; client_no_context_takeover; server_max_window_bits=10"},
		{small, "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits=10; client_max_window_bits=10"},
		{small, "permessage-deflate; client_max_window_bits=9; server_max_window_bits=12", "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9"},
		// Invalid offers are declined, RFC 7692 section 7.1, and the next one is looked at.
		{on, "permessage-deflate; unknown", ""},
		{on, "permessage-deflate; server_no_context_takeover=1", ""},
		{on, "permessage-deflate; client_no_context_takeover=true", ""},
		{on, "permessage-deflate; server_no_context_takeover; server_no_context_takeover", ""},
		{on, "permessage-deflate; server_max_window_bits", ""},
		{on, "permessage-deflate; server_max_window_bits=7", ""},
		{on, "permessage-deflate; server_max_window_bits=16", ""},
		{on, "permessage-deflate; server_max_window_bits=010", ""},
		{on, "permessage-deflate; client_max_window_bits=0", ""},
		{on, "permessage-deflate; client_max_window_bits=+9", ""},
		{on, "permessage-deflate; unknown, foo, permessage-deflate; client_max_window_bits=9", "permessage-deflate; client_max_window_bits=9"},
		{on, "permessage-deflate; server_max_window_bits=9, permessage-deflate", "permessage-deflate; server_max_window_bits=9"},
	} {
		offers, ok := parseExtensions(x.offer)
		if !ok {
			t.Fatal(x.offer)
		}
		d, reply := x.o.accept(offers), ""
		if d.Enabled {
			p, ok := d.answers(offers)
			if !ok {
				t.Errorf("%q: own answer %+v does not fit", x.offer, d)
			}
			reply = string(d.appendAnswer(nil, p))
		}
		if reply != x.reply {
			t.Errorf("%q: %q, want %q", x.offer, reply, x.reply)
		}
	}
}

func TestClientNegotiation(t *testing.T) {
	on := Compression{Enabled: true, ContextTakeover: true}
	alone := Compression{Enabled: true}
	small := Compression{Enabled: true, ContextTakeover: true, WindowBits: 10}
	for _, x := range []struct {
		o     Compression
		offer string
	}{
		{Compression{}, ""},
		{on, "permessage-deflate; client_max_window_bits"},
		{alone, "permessage-deflate; server_no_context_takeover; client_max_window_bits; client_no_context_takeover"},
		{small, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=10, permessage-deflate; server_no_context_takeover; client_max_window_bits=10"},
	} {
		if got := x.o.offer(); got != x.offer {
			t.Errorf("%+v offers %q, want %q", x.o, got, x.offer)
		}
	}
	for _, x := range []struct {
		o      Compression
		answer string
		want   Deflate
		ok     bool
	}{
		{Compression{}, "", Deflate{}, true},
		{Compression{}, "permessage-deflate", Deflate{}, false},
		{on, "", Deflate{}, true},
		{on, "permessage-deflate", takeover, true},
		{on, "permessage-deflate; client_max_window_bits=9", Deflate{true, false, false, 15, 9}, true},
		{on, "permessage-deflate; server_max_window_bits=9", Deflate{true, false, false, 9, 15}, true},
		{on, "permessage-deflate; server_no_context_takeover; client_no_context_takeover", noTakeover, true},
		{on, "permessage-deflate; client_max_window_bits", Deflate{}, false},
		{on, "permessage-deflate; client_max_window_bits=7", Deflate{}, false},
		{on, "permessage-deflate; foo", Deflate{}, false},
		{on, "permessage-deflate, permessage-deflate", Deflate{}, false},
		{on, "foo", Deflate{}, false},
		{alone, "permessage-deflate", Deflate{}, false},
		{alone, "permessage-deflate; server_no_context_takeover", noTakeover, true},
		{small, "permessage-deflate", Deflate{}, false},
		{small, "permessage-deflate; server_max_window_bits=11", Deflate{}, false},
		{small, "permessage-deflate; server_max_window_bits=9", Deflate{true, false, false, 9, 10}, true},
		{small, "permessage-deflate; server_no_context_takeover", Deflate{true, true, false, 15, 10}, true},
		{small, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=12", Deflate{}, false},
	} {
		answer, ok := parseExtensions(x.answer)
		if !ok {
			t.Fatal(x.answer)
		}
		if d, ok := x.o.agree(answer); d != x.want || ok != x.ok {
			t.Errorf("%+v answered by %q: %+v, %v", x.o, x.answer, d, ok)
		}
	}
}

// Whatever both sides are set to, they agree, and understand each other afterwards.
func TestBothSidesAgree(t *testing.T) {
	var settings []Compression
	for _, bits := range []int{0, 8, 11, 15} {
		for _, takeover := range []bool{false, true} {
			for _, stateless := range []bool{false, true} {
				settings = append(settings, Compression{Enabled: true, ContextTakeover: takeover, WindowBits: bits, Stateless: stateless, Threshold: 1})
			}
		}
	}
	message := strings.Repeat("both sides understand each other ", 20)
	for _, client := range settings {
		for _, server := range settings {
			offers, _ := parseExtensions(client.offer())
			d := server.accept(offers)
			p, ok := d.answers(offers)
			answer, _ := parseExtensions(string(d.appendAnswer(nil, p)))
			d2, ok2 := client.agree(answer)
			if !d.Enabled || !ok || !ok2 {
				t.Fatalf("%+v, %+v: %q is answered %+v, %v", client, server, client.offer(), d, d2)
			}
			a, b := &Options{Compression: server}, &Options{Compression: client}
			for _, role := range []Role{Server, Client} {
				from, to := NewCodec(Server, a, d), newFeeder(t, Client, b, d2)
				if role == Client {
					from, to = NewCodec(Client, b, d2), newFeeder(t, Server, a, d)
				}
				for range 3 {
					b, _ := from.AppendMessage(nil, Text, []byte(message))
					to.feed(b, 0)
				}
				if to.err != nil || len(to.events) != 3 || to.events[2].data != message {
					t.Errorf("%+v, %+v, role %d: %v", client, server, role, to.err)
				}
			}
		}
	}
}
