package tunnel

import (
	"bytes"
	"strings"
	"testing"
)

// exchange is a dialog with a proxy: what it answers, and what is sent in all.
type exchange struct {
	name    string
	make    func() (Negotiation, error)
	answers string
	sent    string
	rest    string // of the answers, which comes from the server
	err     string // "" if the way is opened, "more" if something is missing
}

func socks(host, user, password string) func() (Negotiation, error) {
	return func() (Negotiation, error) { return SOCKS5(Target{host, 443}, Login{user, password}) }
}

func connectTo(host, user, password string) func() (Negotiation, error) {
	return func() (Negotiation, error) { return CONNECT(Target{host, 443}, Login{user, password}) }
}

const (
	socksHello = "\x05\x01\x00"
	loginHello = "\x05\x02\x00\x02"
	toATest    = "\x05\x01\x00\x03\x06a.test\x01\xbb"
	request    = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"
)

var exchanges = []exchange{
	{"by name", socks("a.test", "", ""), "\x05\x00" + "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50" + "server", socksHello + toATest, "server", ""},
	{"by IPv4", socks("192.0.2.1", "", ""), "\x05\x00\x05\x00\x00\x03\x02hi\x00\x50", socksHello + "\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb", "", ""},
	{"by IPv6", socks("::1", "", ""), "\x05\x00\x05\x00\x00\x04" + strings.Repeat("\x00", 18), socksHello + "\x05\x01\x00\x04" + strings.Repeat("\x00", 15) + "\x01\x01\xbb", "", ""},
	{"login", socks("a.test", "me", "pw"), "\x05\x02\x01\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50", loginHello + "\x01\x02me\x02pw" + toATest, "", ""},
	{"login of another version", socks("a.test", "me", ""), "\x05\x02\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50", loginHello + "\x01\x02me\x00" + toATest, "", ""},
	{"login not needed", socks("a.test", "me", "pw"), "\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50", loginHello + toATest, "", ""},
	{"login refused", socks("a.test", "me", "pw"), "\x05\x02\x01\x01", "", "", "refused user and password"},
	{"malformed login", socks("a.test", "me", "pw"), "\x05\x02\x07\x00", "", "", "malformed answer to the login"},
	{"login missing", socks("a.test", "", ""), "\x05\xff", "", "", "has not been given"},
	{"login unknown", socks("a.test", "me", "pw"), "\x05\xff", "", "", "takes no login"},
	{"not offered", socks("a.test", "", ""), "\x05\x02", "", "", "not offered"},
	{"no SOCKS5", socks("a.test", "", ""), "HTTP/1.1 400 Bad Request\r\n", "", "", "no SOCKS5"},
	{"refused", socks("a.test", "", ""), "\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00", "", "", "connection refused"},
	{"refused in short", socks("a.test", "", ""), "\x05\x00\x05\x02", "", "", "not allowed"},
	{"unknown code", socks("a.test", "", ""), "\x05\x00\x05\x77", "", "", "code 0x77"},
	{"wrong version", socks("a.test", "", ""), "\x05\x00\x04", "", "", "version 0x4"},
	{"wrong address", socks("a.test", "", ""), "\x05\x00\x05\x00\x00\x09\x00", "", "", "kind 0x9"},
	{"silent", socks("a.test", "", ""), "", "", "", "more"},
	{"cut", socks("a.test", "", ""), "\x05\x00\x05\x00\x00\x03\x05hi", "", "", "more"},

	{"connect", connectTo("a.test", "", ""), "HTTP/1.1 200 Connection established\r\n\r\nserver", request, "server", ""},
	{"terse", connectTo("a.test", "", ""), "HTTP/1.0 200\r\nVia: x\r\n\r\n", request, "", ""},
	{"interim", connectTo("a.test", "", ""), "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 299 \r\n\r\nx", request, "x", ""},
	{"basic", connectTo("a.test", "me", "p:w"), "HTTP/1.1 200 OK\r\n\r\n", "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nProxy-Authorization: Basic bWU6cDp3\r\n\r\n", "", ""},
	{"literal", connectTo("::1", "", ""), "HTTP/1.1 200 OK\r\n\r\n", "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n", "", ""},
	{"407", connectTo("a.test", "", ""), "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "", "", "407"},
	{"302", connectTo("a.test", "", ""), "HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n", "", "", "302"},
	{"no HTTP", connectTo("a.test", "", ""), "SSH-2.0", "", "", "no HTTP"},
	{"status", connectTo("a.test", "", ""), "HTTP/1.1 2x0 OK\r\n\r\n", "", "", "malformed"},
	{"status below 100", connectTo("a.test", "", ""), "HTTP/1.1 099 OK\r\n\r\n", "", "", "malformed"},
	{"short status", connectTo("a.test", "", ""), "HTTP/1.1 20\r\n\r\n", "", "", "malformed"},
	{"cut head", connectTo("a.test", "", ""), "HTTP/1.1 200 OK\r\nX: y\r\n", "", "", "more"},
	{"long head", connectTo("a.test", "", ""), "HTTP/1.1 200 OK\r\n" + strings.Repeat("x", maxHead), "", "", "more than 16 KiB"},
}

// negotiate feeds the answers in pieces of a size and returns what came of it.
func negotiate(n Negotiation, answers []byte, piece int) (sent, rest []byte, done bool, err error) {
	sent = append(sent, n.Begin()...)
	var held []byte
	for {
		used, out, done, err := n.Next(held)
		sent, held = append(sent, out...), held[used:]
		if done || err != nil {
			return sent, append(held, answers...), done, err
		}
		if len(answers) == 0 {
			return sent, held, false, nil
		}
		k := min(piece, len(answers))
		held, answers = append(held, answers[:k]...), answers[k:]
	}
}

func TestNegotiations(t *testing.T) {
	for _, x := range exchanges {
		for _, piece := range []int{1, 2, 7, 1 << 20} {
			n, err := x.make()
			if err != nil {
				t.Fatal(err)
			}
			sent, rest, done, err := negotiate(n, []byte(x.answers), piece)
			switch {
			case x.err == "" && (err != nil || !done):
				t.Errorf("%s in pieces of %d: %v, %v", x.name, piece, done, err)
			case x.err == "" && (string(sent) != x.sent || string(rest) != x.rest):
				t.Errorf("%s in pieces of %d: sent %q, left %q", x.name, piece, sent, rest)
			case x.err == "more" && (err != nil || done):
				t.Errorf("%s in pieces of %d: %v, %v", x.name, piece, done, err)
			case x.err != "" && x.err != "more" && (err == nil || !strings.Contains(err.Error(), x.err)):
				t.Errorf("%s in pieces of %d: %v, want an error with %q", x.name, piece, err, x.err)
			}
		}
	}
}

func TestRefusedSettings(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, make := range []func() (Negotiation, error){
		socks(long, "", ""), socks("a.test", long, ""), socks("a.test", "me", long), socks("a.test", "", "pw"),
		connectTo("a b", "", ""), connectTo("a\r\nX: y", "", ""), connectTo("a.test", "m:e", "pw"),
	} {
		if n, err := make(); err == nil {
			t.Errorf("%+v is no error", n)
		}
	}
}

// Whatever a proxy answers: in one piece and byte by byte must agree, and nothing panics.
func FuzzNegotiations(f *testing.F) {
	for i, x := range exchanges {
		f.Add(uint8(i), []byte(x.answers))
	}
	f.Fuzz(func(t *testing.T, which uint8, answers []byte) {
		x := exchanges[int(which)%len(exchanges)]
		var sents, rests [2][]byte
		var dones [2]bool
		var errs [2]error
		for i, piece := range []int{1, len(answers) + 1} {
			n, err := x.make()
			if err != nil {
				t.Fatal(err)
			}
			sents[i], rests[i], dones[i], errs[i] = negotiate(n, answers, piece)
		}
		if dones[0] != dones[1] || (errs[0] == nil) != (errs[1] == nil) {
			t.Fatalf("%s: %v %v, then %v %v", x.name, dones[0], errs[0], dones[1], errs[1])
		}
		if dones[0] && (!bytes.Equal(sents[0], sents[1]) || !bytes.Equal(rests[0], rests[1])) {
			t.Fatalf("%s: %q %q, then %q %q", x.name, sents[0], rests[0], sents[1], rests[1])
		}
	})
}
