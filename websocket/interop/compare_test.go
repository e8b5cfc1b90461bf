package interop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"
	"github.com/lxzan/gws"
	ownhttp "github.com/workerman-go/workerman/web"
	own "github.com/workerman-go/workerman/websocket"
)

// The benchmarks compare what a server does with a message, without sockets: take a
// client's frame out of bytes that have arrived, and write the echo. Each implementation
// is used the fastest way that its API allows.

var sizes = []int{64, 1 << 10, 64 << 10}

// ascii is a text message as a frame of a client.
func ascii(size int) (frame []byte) {
	h := own.Header{Fin: true, Op: own.Text, Masked: true, Key: [4]byte{1, 2, 3, 4}}
	return own.AppendFrame(nil, h, []byte(strings.Repeat("x", size)))
}

func BenchmarkEcho(b *testing.B) {
	for _, size := range sizes {
		frame := ascii(size)
		b.Run(fmt.Sprintf("own/%d", size), func(b *testing.B) {
			c := own.NewCodec(own.Server, &own.Options{}, own.Deflate{})
			buf := make([]byte, len(frame))
			var out []byte
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				copy(buf, frame)
				ev, _, _, err := c.Next(buf)
				if err != nil || len(ev.Data) != size {
					b.Fatal(err)
				}
				out, _ = c.AppendMessage(out[:0], ev.Op, ev.Data)
			}
		})
		// gobwas checks no UTF-8 at this level.
		b.Run(fmt.Sprintf("gobwas/%d", size), func(b *testing.B) {
			in := bytes.NewReader(frame)
			payload := make([]byte, size)
			var out bytes.Buffer
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				in.Reset(frame)
				h, err := gobwas.ReadHeader(in)
				if err != nil {
					b.Fatal(err)
				}
				if err := gobwas.CheckHeader(h, gobwas.StateServerSide); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(in, payload[:h.Length]); err != nil {
					b.Fatal(err)
				}
				gobwas.Cipher(payload, h.Mask, 0)
				out.Reset()
				gobwas.WriteHeader(&out, gobwas.Header{Fin: true, OpCode: h.OpCode, Length: h.Length})
				out.Write(payload)
			}
		})
		b.Run(fmt.Sprintf("gws/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			benchmarkGws(b, frame, false)
		})
	}
}

// endless is a connection that receives the same frame n times and swallows what is sent.
type endless struct {
	net.Conn
	frame []byte
	at, n int
}

func (c *endless) Read(p []byte) (int, error) {
	total := 0
	for len(p) > 0 {
		if c.at == len(c.frame) {
			if c.n--; c.n <= 0 {
				if total == 0 {
					return 0, io.EOF
				}
				return total, nil
			}
			c.at = 0
		}
		n := copy(p, c.frame[c.at:])
		c.at, p, total = c.at+n, p[n:], total+n
	}
	return total, nil
}

func (c *endless) Write(p []byte) (int, error)      { return len(p), nil }
func (c *endless) Close() error                     { return nil }
func (c *endless) SetDeadline(time.Time) error      { return nil }
func (c *endless) SetReadDeadline(time.Time) error  { return nil }
func (c *endless) SetWriteDeadline(time.Time) error { return nil }

func benchmarkGws(b *testing.B, frame []byte, compressed bool) {
	u := gws.NewUpgrader(&gwsEcho{}, &gws.ServerOption{CheckUtf8Enabled: true, ReadMaxPayloadSize: 1 << 20,
		PermessageDeflate: gws.PermessageDeflate{Enabled: compressed, Threshold: 1}})
	conn := &endless{frame: frame, n: b.N}
	socket, err := u.UpgradeFromConn(conn, bufio.NewReader(conn), upgradeRequest(compressed))
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	socket.ReadLoop()
}

func upgradeRequest(compressed bool) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	if compressed {
		r.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
	}
	return r
}

// BenchmarkCompressedEcho is the echo with compression and without context takeover.
func BenchmarkCompressedEcho(b *testing.B) {
	for _, size := range sizes {
		var text bytes.Buffer
		for i := 0; text.Len() < size; i++ {
			fmt.Fprintf(&text, `{"id":%d,"name":"player %d","x":%d},`, i, i*7%50, i*i%1000)
		}
		o := &own.Options{Compression: own.Compression{Threshold: 1}}
		d := own.Deflate{Enabled: true, ServerNoContextTakeover: true, ClientNoContextTakeover: true, ServerMaxWindowBits: 15, ClientMaxWindowBits: 15}
		frame, err := own.NewCodec(own.Client, o, d).AppendMessage(nil, own.Text, text.Bytes()[:size])
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("own/%d", size), func(b *testing.B) {
			c := own.NewCodec(own.Server, o, d)
			buf := make([]byte, len(frame))
			var out []byte
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				copy(buf, frame)
				ev, _, _, err := c.Next(buf)
				if err != nil || len(ev.Data) != size {
					b.Fatal(err)
				}
				out, _ = c.AppendMessage(out[:0], ev.Op, ev.Data)
			}
		})
		b.Run(fmt.Sprintf("gws/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			benchmarkGws(b, frame, true)
		})
	}
}

func BenchmarkMask(b *testing.B) {
	for _, size := range sizes {
		p := make([]byte, size)
		b.Run(fmt.Sprintf("own/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				own.Mask(p, [4]byte{1, 2, 3, 4}, 0)
			}
		})
		b.Run(fmt.Sprintf("gobwas/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				gobwas.Cipher(p, [4]byte{1, 2, 3, 4}, 0)
			}
		})
	}
}

const chrome = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nUpgrade: websocket\r\nOrigin: http://server.example.com\r\n" +
	"Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: de\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// request is a connection that has received the bytes of a handshake.
type request struct {
	strings.Reader
	out []byte
}

func (r *request) Write(p []byte) (int, error) {
	r.out = append(r.out, p...)
	return len(p), nil
}

// BenchmarkHandshake is a server's whole handshake. gws leaves the request to net/http,
// which is counted in.
func BenchmarkHandshake(b *testing.B) {
	b.Run("own", func(b *testing.B) {
		var parser ownhttp.Parser
		var r ownhttp.Request
		var out []byte
		o := &own.Options{}
		in := []byte(chrome)
		b.ReportAllocs()
		for b.Loop() {
			if _, step, err := parser.Parse(&r, in); step != ownhttp.GotRequest || err != nil {
				b.Fatal(step, err)
			}
			a, err := o.Negotiate(&r)
			if err != nil {
				b.Fatal(err)
			}
			if out, err = own.AppendAccept(out[:0], &r, a); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gobwas", func(b *testing.B) {
		var conn request
		b.ReportAllocs()
		for b.Loop() {
			conn.Reset(chrome)
			conn.out = conn.out[:0]
			if _, err := (gobwas.Upgrader{}).Upgrade(&conn); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gws", func(b *testing.B) {
		u := gws.NewUpgrader(&gwsEcho{}, nil)
		b.ReportAllocs()
		for b.Loop() {
			br := bufio.NewReader(strings.NewReader(chrome))
			r, err := http.ReadRequest(br)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := u.UpgradeFromConn(&endless{}, br, r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
