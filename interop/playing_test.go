package interop

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

// player is a server that plays cases of the suite to the clients that come.
type player struct {
	t  *testing.T
	ln net.Listener
}

func newPlayer(t *testing.T) *player {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return &player{t, ln}
}

// accept takes the next client through the handshake; fields are added to the answer.
func (p *player) accept(fields string) *rawSocket {
	p.t.Helper()
	p.ln.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	c, err := p.ln.Accept()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	w := &rawSocket{t: p.t, Conn: c, in: bufio.NewReaderSize(c, 64<<10), masked: true}
	r, err := http.ReadRequest(w.in)
	if err != nil {
		p.t.Fatal(err)
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	w.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n" + fields + "\r\n")
	return w
}

// fromServer turns the frames of a client into those of a server and the other way round:
// what has a mask loses it, and what has none gets one. A frame that is cut off stays so.
func fromServer(sent string) string {
	var b strings.Builder
	for len(sent) > 0 {
		if len(sent) < 2 {
			b.WriteString(sent)
			break
		}
		head, n := 2, uint64(sent[1]&0x7f)
		switch {
		case n == 126:
			head, n = 4, uint64(binary.BigEndian.Uint16([]byte(sent[2:4])))
		case n == 127:
			head, n = 10, binary.BigEndian.Uint64([]byte(sent[2:10]))
		}
		b.WriteByte(sent[0])
		b.WriteByte(sent[1] ^ 0x80)
		b.WriteString(sent[2:head])
		rest := sent[head:]
		if sent[1]&0x80 == 0 {
			b.WriteString("\x00\x00\x00\x00")
		} else {
			rest = rest[min(4, len(rest)):]
		}
		n = min(n, uint64(len(rest)))
		b.WriteString(rest[:n])
		sent = rest[n:]
	}
	return b.String()
}

// playing runs clients against a player until the end of the test.
func playing(t *testing.T, portable bool, configure func(*workerman.Client)) (*player, *workerman.Client) {
	t.Helper()
	p := newPlayer(t)
	m := &workerman.Master{Portable: portable, Logger: slog.New(slog.DiscardHandler)}
	cl := m.NewClient("ws://" + p.ln.Addr().String())
	cl.MaxPackageSize = 2 << 20
	cl.MaxSendBuffer = 8 << 20
	cl.OnError = func(_ *workerman.Conn, err error) { t.Error(err) }
	configure(cl)
	if err := cl.Connect(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cl.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p, cl
}

// The cases of the suite in the other direction: a server plays them to a client that echoes,
// and after each the client comes back by itself.
func TestWebSocketClientConformance(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		p, _ := playing(t, portable, func(cl *workerman.Client) {
			cl.OnMessage = answer
			cl.Backoff.Min = time.Millisecond
		})
		for _, x := range suite() {
			sent := fromServer(x.sent)
			ways := [][]string{{sent}, pieces(sent, max(1, len(sent)/300))}
			for _, parts := range ways {
				if got := p.accept("").tell(parts); !slices.Equal(got, x.want) {
					t.Errorf("%s in %d pieces: %q, want %q", x.name, len(parts), got, x.want)
				}
			}
		}
	})
}

// Compressed messages of a server, with and without its taking the context over, and what it
// can do wrong with them.
func TestWebSocketClientCompression(t *testing.T) {
	const agreed = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
	engines(t, func(t *testing.T, portable bool) {
		p, _ := playing(t, portable, func(cl *workerman.Client) {
			cl.OnMessage = func(c *workerman.Conn, data []byte) { c.Send([]byte(digest(data))) }
			cl.Backoff.Min = time.Millisecond
			cl.WebSocket.Compression.Enabled = true
		})
		for _, n := range []int{0, 1, 100, 4096, 131072, 1 << 20} {
			message := strings.Repeat("0123456789abcdef", n/16+1)[:n]
			packed := string(deflate([]byte(message)))
			for _, sent := range []string{
				frame(fin|compression|text, packed),
				inFragments(compression|text, packed, 7),
				frame(fin|text, message), // not compressed, which is allowed
			} {
				got := p.accept(agreed).tell([]string{fromServer(sent + closing(1000, ""))})
				if want := []string{"text " + short(digest([]byte(message))), "close 1000", "end"}; !slices.Equal(got, want) {
					t.Errorf("%d bytes: %q, want %q", n, got, want)
				}
			}
		}
		packed := string(deflate([]byte("hello, hello, hello")))
		for _, x := range []suiteCase{
			{"compressed control frame", frame(fin|compression|pings, "x"), []string{"close 1002", "end"}},
			{"RSV1 of a continuation", frame(compression|text, packed[:4]) + frame(fin|compression|continues, packed[4:]), []string{"close 1002", "end"}},
			{"no deflate data", frame(fin|compression|text, "\xff\xff\xff"), []string{"close 1007", "end"}},
			{"deflate data without end", frame(fin|compression|text, packed[:4]), []string{"close 1007", "end"}},
			{"text that is no UTF-8", frame(fin|compression|text, string(deflate([]byte("\xed\xa0\x80")))), []string{"close 1007", "end"}},
			{"too large", frame(fin|compression|text, string(deflate(make([]byte, 3<<20)))), []string{"close 1009", "end"}},
		} {
			if got := p.accept(agreed).tell([]string{fromServer(x.sent)}); !slices.Equal(got, x.want) {
				t.Errorf("%s: %q, want %q", x.name, got, x.want)
			}
		}
	})
}
