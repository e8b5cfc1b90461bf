package siege

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// talker is a WebSocket client whose messages are numbered, so that each answer shows
// whether it is the next one. Talkers have habits, in which a hand-over meets a connection:
// in the middle of a frame, or with several messages on their way.
type talker struct {
	conn    net.Conn
	in      *bufio.Reader
	number  uint64 // names the client and its last message
	size    int    // bytes of a message
	burst   int    // messages of an exchange
	halves  bool   // a frame is written in two pieces, with a pause
	out     []byte
	message []byte
}

const (
	plainSize = 64
	largeSize = 20 << 10
	halfPause = 2 * time.Millisecond
)

func newTalker(i int) *talker {
	t := &talker{number: uint64(i) << 32, size: plainSize, burst: 1}
	switch {
	case i%64 == 1:
		t.size = largeSize
	case i%4 == 2:
		t.halves = true
	case i%8 == 3:
		t.burst = 8
	}
	return t
}

// talk is the life of a talker.
func (c *Crowd) talk(i int, r *record, started func(error)) {
	t := newTalker(i)
	defer func() {
		if t.conn != nil {
			t.conn.Close()
		}
	}()
	connected := false
	for {
		if t.conn == nil {
			if err := t.connect(c.o.Addr); err != nil {
				if !connected {
					started(err)
					return
				}
				if t.conn == nil {
					c.unreached(err)
					return
				}
				c.lost(Disconnected, err)
				t.disconnect()
				continue
			}
		}
		begin := time.Now()
		if err := t.exchange(); err != nil {
			if !c.lost(Disconnected, fmt.Errorf("talker %d: %w", i, err)) {
				started(err)
				return
			}
			t.disconnect()
			continue
		}
		r.add(time.Since(begin))
		c.messages.Add(int64(t.burst))
		pace := c.o.Pace
		if !connected { // they do not speak all at once
			connected = true
			started(nil)
			pace = c.o.Pace * time.Duration(i%97) / 97
		}
		if !c.pause(pace) {
			return
		}
	}
}

func (t *talker) disconnect() {
	t.conn.Close()
	t.conn = nil
}

// connect leaves conn unset if that failed; other errors are of the handshake.
func (t *talker) connect(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return err
	}
	t.conn, t.in = conn, bufio.NewReaderSize(conn, 512)
	conn.SetDeadline(time.Now().Add(patience))
	_, err = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: siege\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		line, err := t.in.ReadString('\n')
		switch {
		case err != nil:
			return err
		case first && !strings.Contains(line, " 101 "):
			return fmt.Errorf("%w to the handshake: %q", errAnswer, line)
		case line == "\r\n":
			return nil
		}
	}
}

// exchange sends messages and waits for their echoes.
func (t *talker) exchange() error {
	t.conn.SetDeadline(time.Now().Add(patience))
	first := t.number
	t.out = t.out[:0]
	for range t.burst {
		t.number++
		t.out = t.appendFrame(t.out, t.number)
	}
	rest := t.out
	if t.halves {
		half := len(rest) / 2
		if _, err := t.conn.Write(rest[:half]); err != nil {
			return err
		}
		time.Sleep(halfPause)
		rest = rest[half:]
	}
	if _, err := t.conn.Write(rest); err != nil {
		return err
	}
	for n := first + 1; n <= t.number; n++ {
		got, err := t.readMessage()
		if err != nil {
			return err
		}
		if len(got) != t.size || binary.BigEndian.Uint64(got) != n {
			return fmt.Errorf("%w: %d bytes that begin with %x, instead of the echo of message %x", errAnswer, len(got), got[:min(len(got), 8)], n)
		}
		if !bytes.Equal(got[8:], filler[:t.size-8]) {
			return fmt.Errorf("%w: the echo of message %x is damaged", errAnswer, n)
		}
	}
	return nil
}

// filler is what messages consist of behind their number.
var filler = bytes.Repeat([]byte("all work and no play "), largeSize/20)

// Parts of the frames of RFC 6455, section 5.2.
const (
	finalBinary = 0x82
	masked      = 0x80
	length16    = 126
	length64    = 127
)

// appendFrame appends a message with its number, masked with zeros.
func (t *talker) appendFrame(dst []byte, n uint64) []byte {
	if t.size < length16 {
		dst = append(dst, finalBinary, masked|byte(t.size))
	} else {
		dst = append(dst, finalBinary, masked|length16, byte(t.size>>8), byte(t.size))
	}
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint64(dst, n)
	return append(dst, filler[:t.size-8]...)
}

// readMessage reads a frame of a whole message; what else a server may send is an error.
func (t *talker) readMessage() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(t.in, head[:2]); err != nil {
		return nil, err
	}
	size := int(head[1])
	if head[0]&0x0f == 8 {
		code := make([]byte, size)
		io.ReadFull(t.in, code)
		return nil, fmt.Errorf("the server said goodbye: %q", code)
	}
	if head[0] != finalBinary && head[0] != finalBinary-1 || size >= length64 {
		return nil, fmt.Errorf("%w: a frame that begins with %x", errAnswer, head[:2])
	}
	if size == length16 {
		if _, err := io.ReadFull(t.in, head[2:]); err != nil {
			return nil, err
		}
		size = int(binary.BigEndian.Uint16(head[2:]))
	}
	if cap(t.message) < size {
		t.message = make([]byte, size)
	}
	t.message = t.message[:size]
	_, err := io.ReadFull(t.in, t.message)
	return t.message, err
}
