package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/lxzan/gws"
	"github.com/workerman-go/workerman/internal/testkit"
	ownhttp "github.com/workerman-go/workerman/web"
	own "github.com/workerman-go/workerman/websocket"
)

// messages have sizes around all limits, text that compresses and bytes that do not.
func messages() [][]byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	var all [][]byte
	for _, size := range []int{0, 1, 125, 126, 127, 511, 512, 1000, 4096, 32 << 10, 65535, 65536, 200_000, 700, 700} {
		var b bytes.Buffer
		for b.Len() < size {
			fmt.Fprintf(&b, `{"user":"%d","text":"message %d"},`, rnd.IntN(100), rnd.IntN(1000))
		}
		all = append(all, b.Bytes()[:size])
		noise := make([]byte, size)
		for i := range noise {
			noise[i] = byte(rnd.Uint32())
		}
		all = append(all, noise)
	}
	return all
}

// settings are the ways to compress that both sides are combined in.
var settings = []own.Compression{
	{},
	{Enabled: true},
	{Enabled: true, Threshold: 1, Level: 6},
	{Enabled: true, ContextTakeover: true},
	{Enabled: true, ContextTakeover: true, WindowBits: 9, Threshold: 1},
	{Enabled: true, Stateless: true},
	{Enabled: true, ContextTakeover: true, Stateless: true},
}

// peer drives a codec over a connection, as an event loop would.
type peer struct {
	net.Conn
	*own.Codec
	buf []byte
}

// next returns the next event, answering pings.
func (p *peer) next() (own.Event, error) {
	for {
		ev, used, _, err := p.Next(p.buf)
		// The data of the event lies in the buffer, which is not moved until the next call.
		p.buf = p.buf[used:]
		switch {
		case err != nil:
			return ev, err
		case ev.Op == own.Ping:
			pong, err := p.AppendControl(nil, own.Pong, ev.Data)
			if err != nil {
				return ev, err
			}
			if _, err := p.Write(pong); err != nil {
				return ev, err
			}
		case ev.Op == own.Pong:
		case ev.Op != own.Continuation:
			return ev, nil
		default:
			piece := make([]byte, 1+rand.IntN(5000))
			n, err := p.Read(piece)
			if err != nil {
				return ev, err
			}
			p.buf = append(p.buf[:len(p.buf):len(p.buf)], piece[:n]...)
		}
	}
}

// echo answers everything until the close.
func (p *peer) echo() error {
	for {
		ev, err := p.next()
		if err != nil {
			return err
		}
		var out []byte
		if ev.Op == own.Close {
			out, err = p.AppendClose(nil, ev.Code, "")
		} else {
			out, err = p.AppendMessage(nil, ev.Op, ev.Data)
		}
		if err != nil {
			return err
		}
		if _, err := p.Write(out); err != nil {
			return err
		}
		if ev.Op == own.Close {
			return nil
		}
	}
}

// serve is a server of package websocket that echoes. It sends how each connection ended.
func serve(t *testing.T, o *own.Options) (url string, done chan error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	done = make(chan error, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			done <- handle(conn, o)
		}
	}()
	return "ws://" + l.Addr().String() + "/echo", done
}

func handle(conn net.Conn, o *own.Options) error {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(testkit.Patience))
	var buf []byte
	var parser ownhttp.Parser
	var r ownhttp.Request
	for {
		used, step, err := parser.Parse(&r, buf)
		if err != nil {
			return err
		}
		buf = buf[used:]
		if step == ownhttp.GotRequest {
			break
		}
		piece := make([]byte, 100)
		n, err := conn.Read(piece)
		if err != nil {
			return err
		}
		buf = append(buf, piece[:n]...)
	}
	a, err := o.Negotiate(&r)
	if err != nil {
		var refused *own.HandshakeError
		if errors.As(err, &refused) {
			conn.Write(refused.Response().Append(nil, r.Exchange(), nil))
		}
		return err
	}
	answer, err := own.AppendAccept(nil, &r, a)
	if err != nil {
		return err
	}
	if _, err := conn.Write(answer); err != nil {
		return err
	}
	return (&peer{conn, own.NewCodec(own.Server, o, a.Deflate), buf}).echo()
}

func ended(t *testing.T, done chan error) {
	t.Helper()
	if err := testkit.Receive(t, done, "the end of the server"); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestServerWithCoderClient(t *testing.T) {
	for i, setting := range settings {
		for _, mode := range []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover} {
			t.Run(fmt.Sprint(i, mode), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
				defer cancel()
				url, done := serve(t, &own.Options{Compression: setting, Subprotocols: []string{"b", "a"}})
				c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{CompressionMode: mode, CompressionThreshold: 1, Subprotocols: []string{"a", "b"}})
				if err != nil {
					t.Fatal(err)
				}
				c.SetReadLimit(1 << 20)
				if c.Subprotocol() != "a" {
					t.Errorf("subprotocol %q", c.Subprotocol())
				}
				for _, m := range messages() {
					if err := c.Write(ctx, websocket.MessageBinary, m); err != nil {
						t.Fatal(err)
					}
					kind, got, err := c.Read(ctx)
					if err != nil || kind != websocket.MessageBinary || !bytes.Equal(got, m) {
						t.Fatalf("%d bytes came back as %d: %v", len(m), len(got), err)
					}
				}
				if err := c.Close(4321, "bye"); err != nil {
					t.Error(err)
				}
				ended(t, done)
			})
		}
	}
}

func TestClientWithCoderServer(t *testing.T) {
	for i, setting := range settings {
		for _, mode := range []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover} {
			t.Run(fmt.Sprint(i, mode), func(t *testing.T) {
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: mode, CompressionThreshold: 1, Subprotocols: []string{"b"}})
					if err != nil {
						return
					}
					c.SetReadLimit(1 << 20)
					for {
						kind, b, err := c.Read(r.Context())
						if err != nil {
							return
						}
						if err := c.Write(r.Context(), kind, b); err != nil {
							return
						}
					}
				}))
				defer s.Close()
				client(t, s.Listener.Addr().String(), &own.Options{Compression: setting, Subprotocols: []string{"a", "b"}}, "b", "in between")
			})
		}
	}
}

// client sends all messages and expects them back.
func client(t *testing.T, address string, o *own.Options, subprotocol, ping string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(testkit.Patience))
	h := &own.ClientHandshake{Host: address, Target: "/echo", Options: o}
	request, err := h.AppendRequest(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	var buf []byte
	var r *own.Response
	for r == nil {
		piece := make([]byte, 64)
		n, err := conn.Read(piece)
		if err != nil {
			t.Fatal(err)
		}
		buf = append(buf, piece[:n]...)
		var used int
		if r, used, err = h.ParseResponse(buf); err != nil {
			t.Fatal(err)
		}
		buf = buf[used:]
	}
	if r.Subprotocol != subprotocol {
		t.Errorf("agreed on %+v", r.Agreement)
	}
	p := &peer{conn, own.NewCodec(own.Client, o, r.Deflate), buf}
	for _, m := range messages() {
		out, err := p.AppendControl(nil, own.Ping, []byte(ping))
		if err != nil {
			t.Fatal(err)
		}
		if out, err = p.AppendMessage(out, own.Binary, m); err != nil {
			t.Fatal(err)
		}
		// A peer that writes while we do must not make both wait.
		go p.Write(out)
		ev, err := p.next()
		if err != nil || ev.Op != own.Binary || !bytes.Equal(ev.Data, m) {
			t.Fatalf("%d bytes came back as %v with %d: %v", len(m), ev.Op, len(ev.Data), err)
		}
	}
	out, err := p.AppendClose(nil, 1000, "bye")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write(out); err != nil {
		t.Fatal(err)
	}
	if ev, err := p.next(); err != nil || ev.Op != own.Close || ev.Code != 1000 {
		t.Errorf("the close is answered by %v %d: %v", ev.Op, ev.Code, err)
	}
}

// gwsEcho is gws as a server that echoes and as a client that collects.
type gwsEcho struct {
	gws.BuiltinEventHandler
	got    chan []byte
	closed chan error
}

func (e *gwsEcho) OnPing(c *gws.Conn, payload []byte) { _ = c.WritePong(payload) }
func (e *gwsEcho) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	if e.got != nil {
		e.got <- bytes.Clone(m.Bytes())
		return
	}
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

func (e *gwsEcho) OnClose(_ *gws.Conn, err error) {
	if e.closed != nil {
		e.closed <- err
	}
}

// gws can limit its windows, so that all sizes are tried in both directions.
func TestServerWithGwsClient(t *testing.T) {
	for bits := 8; bits <= 15; bits++ {
		for _, takeover := range []bool{false, true} {
			t.Run(fmt.Sprint(bits, takeover), func(t *testing.T) {
				url, done := serve(t, &own.Options{Compression: own.Compression{Enabled: true, ContextTakeover: true, Threshold: 1}})
				e := &gwsEcho{got: make(chan []byte, 1), closed: make(chan error, 1)}
				c, _, err := gws.NewClient(e, &gws.ClientOption{Addr: url, ReadMaxPayloadSize: 1 << 20, PermessageDeflate: gws.PermessageDeflate{
					Enabled: true, ServerContextTakeover: takeover, ClientContextTakeover: takeover, Threshold: 1,
					ServerMaxWindowBits: bits, ClientMaxWindowBits: bits,
				}})
				if err != nil {
					t.Fatal(err)
				}
				go c.ReadLoop()
				for _, m := range messages() {
					if err := c.WriteMessage(gws.OpcodeBinary, m); err != nil {
						t.Fatal(err)
					}
					select {
					case got := <-e.got:
						if !bytes.Equal(got, m) {
							t.Fatalf("%d bytes came back as %d", len(m), len(got))
						}
					case err := <-e.closed:
						t.Fatalf("%d bytes: closed: %v", len(m), err)
					}
				}
				c.WriteClose(1000, []byte("bye"))
				ended(t, done)
			})
		}
	}
}

func TestClientWithGwsServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := gws.NewServer(&gwsEcho{}, &gws.ServerOption{ReadMaxPayloadSize: 1 << 20, PermessageDeflate: gws.PermessageDeflate{
		Enabled: true, ServerContextTakeover: true, ClientContextTakeover: true, Threshold: 1,
		ServerMaxWindowBits: 15, ClientMaxWindowBits: 15,
	}})
	s.OnError = func(net.Conn, error) {}
	// It has no end but the end of the test program: without its listener it would spin.
	go s.RunListener(l)
	for bits := 8; bits <= 15; bits++ {
		for _, takeover := range []bool{false, true} {
			t.Run(fmt.Sprint(bits, takeover), func(t *testing.T) {
				o := &own.Options{Compression: own.Compression{Enabled: true, ContextTakeover: takeover, WindowBits: bits, Threshold: 1}}
				// gws v1.10.2 counts the payload of a pong as part of its compression window,
				// against RFC 7692 section 7.2, so that its next message cannot be read.
				client(t, l.Addr().String(), o, "", "")
			})
		}
	}
}

// What we refuse, others see as the refusal it is.
func TestRefusals(t *testing.T) {
	url, done := serve(t, &own.Options{MaxMessageSize: 1000})
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(ctx, websocket.MessageText, []byte(strings.Repeat("x", 1001))); err != nil {
		t.Fatal(err)
	}
	var closed *own.CloseError
	if err := <-done; !errors.As(err, &closed) || closed.Code != own.CloseTooBig {
		t.Error(err)
	}
	c.CloseNow()

	// The origin is a foreign one.
	url, done = serve(t, &own.Options{})
	_, response, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://evil.example"}}})
	if err == nil || response == nil || response.StatusCode != 403 {
		t.Errorf("%v, %+v", err, response)
	}
	if err := <-done; err == nil {
		t.Error("a foreign origin is let in")
	}
	response, err = http.Get("http" + strings.TrimPrefix(url, "ws"))
	if err != nil || response.StatusCode != 426 || response.Header.Get("Sec-WebSocket-Version") != "13" {
		t.Errorf("%v, %+v", err, response)
	}
	<-done
}
