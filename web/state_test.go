package web

import (
	"bytes"
	"slices"
	"testing"
)

// conversations are what clients send, each more than one request.
var conversations = []string{
	"GET / HTTP/1.1\r\nHost: host\r\n\r\nGET /2 HTTP/1.1\r\nHost: host\r\n\r\n",
	"\r\n\r\nPOST /p HTTP/1.1\r\nHost: host\r\nContent-Length: 10\r\n\r\n0123456789GET /2 HTTP/1.1\r\nHost: host\r\n\r\n",
	"POST /e HTTP/1.1\r\nHost: host\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.0\r\nHost: host\r\n\r\n",
	"PUT /c HTTP/1.1\r\nHost: host\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"5;ext=1\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nDigest: d\r\n\r\nGET /2 HTTP/1.1\r\nHost: host\r\n\r\n",
}

// hear parses input up to its end and tells the requests, and how often the client was told
// to go on; rest is what was not used.
func hear(p *Parser, input []byte) (told []string, continues int, rest []byte) {
	var r Request
	for {
		used, step, err := p.Parse(&r, slices.Clone(input))
		input = input[used:]
		switch {
		case err != nil:
			return append(told, err.Error()), continues, nil
		case step == GotRequest:
			told = append(told, r.Method()+" "+r.Path()+" "+string(r.Body())+" "+r.Trailer("Digest"))
		case step == NeedContinue:
			continues++
			return told, continues, input
		default:
			return told, continues, input
		}
	}
}

func TestParserMoves(t *testing.T) {
	for _, input := range conversations {
		want, _, _ := hear(new(Parser), []byte(input))
		if len(want) != 2 {
			t.Fatalf("%q", want)
		}
		for i := range len(input) {
			var old Parser
			got, before, rest := hear(&old, []byte(input[:i]))
			state := old.AppendState(nil)
			p, err := RestoreParser(nil, state)
			if err != nil {
				t.Fatalf("%q at %d: %v", input, i, err)
			}
			if again := p.AppendState(nil); !bytes.Equal(again, state) {
				t.Errorf("%q at %d: %x became %x", input, i, state, again)
			}
			_, once, _ := hear(&p, rest)
			if old.InBody() != p.InBody() {
				t.Errorf("%q at %d: in the body: %v became %v", input, i, old.InBody(), p.InBody())
			}
			if before+once > 1 {
				t.Errorf("%q at %d: told to go on twice", input, i)
			}
			more, _, _ := hear(&p, append(rest, input[i:]...))
			if got = append(got, more...); !slices.Equal(got, want) {
				t.Errorf("%q at %d: %q, not %q", input, i, got, want)
			}
		}
	}
}

func FuzzRestoreParser(f *testing.F) {
	for _, input := range conversations {
		var p Parser
		hear(&p, []byte(input[:len(input)/2]))
		f.Add(p.AppendState(nil), input[len(input)/2:])
	}
	f.Add([]byte{stateVersion, byte(inChunk), 0, 0, 5, 5, 0, 3, 'a', 'b', 'c', 0}, "hello\r\n")
	f.Fuzz(func(t *testing.T, state []byte, input string) {
		p, err := RestoreParser(nil, state)
		if err != nil {
			return
		}
		again, err := RestoreParser(nil, p.AppendState(nil))
		if err != nil {
			t.Fatalf("%x is not taken back: %v", state, err)
		}
		one, _, _ := hear(&p, []byte(input))
		other, _, _ := hear(&again, []byte(input))
		if !slices.Equal(one, other) {
			t.Errorf("%q and %q", one, other)
		}
	})
}
