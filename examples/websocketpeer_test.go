package examples

import (
	"bufio"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/workerman-go/workerman/websocket"
)

// socketPeer is the client's side of a WebSocket to a process under test.
type socketPeer struct {
	t     *testing.T
	conn  net.Conn
	codec *websocket.Codec
	kept  []byte // received and not used yet
}

// openSocket connects and shakes hands; target is path and query.
func openSocket(t *testing.T, address, target string) *socketPeer {
	t.Helper()
	p, err := shakeHands(t, dial(t, "tcp", address).Conn, address, target)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// openSecureSocket is openSocket over TLS.
func openSecureSocket(t *testing.T, address string, config *tls.Config) *socketPeer {
	t.Helper()
	p, err := shakeHands(t, tls.Client(dial(t, "tcp", address).Conn, config), address, "/")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shakeHands offers compression; an error is the server's refusal.
func shakeHands(t *testing.T, conn net.Conn, host, target string) (*socketPeer, error) {
	t.Helper()
	o := &websocket.Options{Compression: websocket.Compression{Enabled: true}}
	h := &websocket.ClientHandshake{Host: host, Target: target, Origin: "http://" + host, Options: o}
	request, err := h.AppendRequest(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	p := &socketPeer{t: t, conn: conn}
	for {
		p.receive()
		answer, n, err := h.ParseResponse(p.kept)
		if err != nil {
			return nil, err
		}
		if answer != nil {
			p.kept = p.kept[n:]
			p.codec = websocket.NewCodec(websocket.Client, o, answer.Deflate)
			return p, nil
		}
	}
}

// receive waits for more bytes.
func (p *socketPeer) receive() {
	p.t.Helper()
	b := make([]byte, 64<<10)
	n, err := p.conn.Read(b)
	if err != nil {
		p.t.Fatalf("no message, but %v", err)
	}
	p.kept = append(p.kept, b[:n]...)
}

// next waits for the next event, whose data it copies.
func (p *socketPeer) next() websocket.Event {
	p.t.Helper()
	for {
		e, used, _, err := p.codec.Next(p.kept)
		if err != nil {
			p.t.Fatal(err)
		}
		p.kept = p.kept[used:]
		if e.Op != websocket.Continuation {
			e.Data = append([]byte(nil), e.Data...)
			return e
		}
		p.receive()
	}
}

// send sends a message.
func (p *socketPeer) send(kind websocket.Opcode, data string) {
	p.t.Helper()
	b, err := p.codec.AppendMessage(nil, kind, []byte(data))
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// says sends a text.
func (p *socketPeer) says(text string) {
	p.t.Helper()
	p.send(websocket.Text, text)
}

// gets expects a message.
func (p *socketPeer) gets(kind websocket.Opcode, want string) {
	p.t.Helper()
	if e := p.next(); e.Op != kind || string(e.Data) != want {
		p.t.Fatalf("got %v %.100q, want %v %.100q", e.Op, e.Data, kind, want)
	}
}

// hears expects a text.
func (p *socketPeer) hears(text string) {
	p.t.Helper()
	p.gets(websocket.Text, text)
}

// closes expects that the server ends the WebSocket with a code.
func (p *socketPeer) closes(code int) {
	p.t.Helper()
	if e := p.next(); e.Op != websocket.Close || e.Code != code {
		p.t.Fatalf("got %v %d %.100q, want a close with %d", e.Op, e.Code, e.Data, code)
	}
}

// stays expects that nothing comes for a while.
func (p *socketPeer) stays(d time.Duration) {
	p.t.Helper()
	if len(p.kept) > 0 {
		p.t.Fatalf("%d bytes are there, want silence", len(p.kept))
	}
	silent(p.t, p.conn, bufio.NewReader(p.conn), d)
}
