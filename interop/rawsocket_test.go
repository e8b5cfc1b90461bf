package interop

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

// rawSocket is a side of a WebSocket, made of bytes alone, so that it can send what nobody
// should.
type rawSocket struct {
	t *testing.T
	net.Conn
	in     *bufio.Reader
	masked bool // the other side is a client
}

// upgrade is a request for a WebSocket.
const upgrade = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// socket opens a WebSocket; fields are added to the request.
func (e endpoint) socket(t *testing.T, fields string) *rawSocket {
	t.Helper()
	c := e.dial(t)
	w := &rawSocket{t: t, Conn: c, in: bufio.NewReaderSize(c, 64<<10)}
	w.send(upgrade + fields + "\r\n")
	r, err := http.ReadResponse(w.in, nil)
	if err != nil || r.StatusCode != 101 || r.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("the handshake: %v, %v", r, err)
	}
	return w
}

// send writes bytes; that the server has closed is seen when its answers are read.
func (w *rawSocket) send(b string) { io.WriteString(w, b) }

// The first byte of frames: FIN, and the opcode.
const (
	fin         = 0x80
	continues   = 0x00
	text        = 0x01
	octets      = 0x02
	closes      = 0x08
	pings       = 0x09
	pongs       = 0x0a
	compression = 0x40 // RSV1
)

// frame is a masked frame. The mask changes nothing, so that attacks can be read.
func frame(first byte, payload string) string {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return string(append(b, 0, 0, 0, 0)) + payload
}

// closing is a close frame.
func closing(code uint16, reason string) string {
	return frame(fin|closes, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

// read returns the first byte and the payload of the next frame.
func (w *rawSocket) read() (first byte, payload string, err error) {
	var head [10]byte
	if _, err := io.ReadFull(w.in, head[:2]); err != nil {
		return 0, "", err
	}
	n := uint64(head[1])
	if w.masked {
		n ^= 0x80
	}
	switch {
	case n == 126:
		_, err = io.ReadFull(w.in, head[2:4])
		n = uint64(binary.BigEndian.Uint16(head[2:]))
	case n == 127:
		_, err = io.ReadFull(w.in, head[2:])
		n = binary.BigEndian.Uint64(head[2:])
	case n > 127:
		err = fmt.Errorf("a server masks, or a client does not")
	}
	var mask [4]byte
	if w.masked && err == nil {
		_, err = io.ReadFull(w.in, mask[:])
	}
	if err != nil {
		return 0, "", err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(w.in, b)
	for i := range b {
		b[i] ^= mask[i%4]
	}
	return head[0], string(b), err
}

// rest is what comes until the end of the connection, in words: messages and pongs as they
// are and a close by its code.
func (w *rawSocket) rest() (words []string) {
	for {
		first, payload, err := w.read()
		switch {
		case err == io.EOF:
			return append(words, "end")
		case err != nil:
			return append(words, err.Error())
		case first == fin|closes && len(payload) == 0:
			words = append(words, "close")
		case first == fin|closes && len(payload) >= 2:
			words = append(words, fmt.Sprint("close ", binary.BigEndian.Uint16([]byte(payload))))
		case first == fin|text:
			words = append(words, "text "+short(payload))
		case first == fin|octets:
			words = append(words, "binary "+short(payload))
		case first == fin|pongs:
			words = append(words, "pong "+short(payload))
		default:
			words = append(words, fmt.Sprintf("frame %x %s", first, short(payload)))
		}
	}
}

// short is a payload in a form that can be compared and printed.
func short(payload string) string {
	if len(payload) > 100 {
		return digest([]byte(payload))
	}
	return fmt.Sprintf("%q", payload)
}
