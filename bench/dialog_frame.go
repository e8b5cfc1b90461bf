package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// frameDialog is for messages that the server may have to compress, so the bytes that
// come back are not known before. The mark counts the messages of a burst.
type frameDialog struct {
	depth    int
	out      [][]byte
	messages [][]byte // the messages of all variants, depth in each
	checker  frameChecker
}

func newFrameDialog(l load, depth int) (*frameDialog, error) {
	return newOpcodeDialog(l, depth, textFrame)
}

// newBinaryProbe sends a message that no server passes on to others.
func newBinaryProbe(l load) (*frameDialog, error) { return newOpcodeDialog(l, 1, binaryFrame) }

func newOpcodeDialog(l load, depth int, opcode byte) (*frameDialog, error) {
	d := &frameDialog{depth: depth, messages: newTexts(frameVariants*depth, l.Size)}
	d.checker = newFrameChecker(d.messages, finBit|opcode, l.Deflate)
	for v := range frameVariants {
		var out []byte
		for k := range depth {
			number := v*depth + k
			payload := d.messages[number]
			if l.Deflate {
				var err error
				if payload, err = deflate(payload); err != nil {
					return nil, err
				}
			}
			out = appendClientFrame(out, d.checker.first, payload, uint32(number))
		}
		d.out = append(d.out, out)
	}
	return d, nil
}

func (d *frameDialog) burst(i, n int) []byte { return d.out[variant(i, n, len(d.out))] }

func (d *frameDialog) check(i, n int, at *int, in []byte) (used int, done bool, err error) {
	v := variant(i, n, len(d.out))
	for *at < d.depth {
		size, err := d.checker.check(v*d.depth+*at, in[used:])
		if size == 0 || err != nil {
			return used, false, err
		}
		*at++
		used += size
	}
	return used, true, nil
}

// newTexts makes messages that differ and look like what a chat or a feed sends:
// they compress to about a third.
func newTexts(count, size int) [][]byte {
	words := strings.Fields("event user room message price volume time status online update " +
		"temperature sensor position speed name title description level score country")
	pattern := newPattern(size)
	texts := make([][]byte, count)
	for i := range texts {
		var b []byte
		b = fmt.Appendf(b, `{"id":%d`, 100_000+i)
		for k := 0; len(b) < size; k++ {
			r := pattern[(i*131+k*2)%(len(pattern)-1):]
			b = fmt.Appendf(b, `,"%s":"%s-%d"`, words[int(r[0])%len(words)], words[int(r[1])%len(words)], int(r[0])*int(r[1]))
		}
		texts[i] = append(b[:size-1], '}')
	}
	return texts
}

// deflate compresses a message without its last four bytes, RFC 7692, section 7.2.1.
func deflate(message []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(message); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\x00\x00\xff\xff")), nil
}

// frameChecker compares frames of a server with the messages they have to carry.
type frameChecker struct {
	messages [][]byte
	first    byte     // begins every frame: opcode, end and, if messages have to be compressed, that bit
	known    [][]byte // for each message the last frame that was found to be right
	inflater io.ReadCloser
	buf      []byte
}

func newFrameChecker(messages [][]byte, first byte, deflated bool) frameChecker {
	if deflated {
		first |= deflateBit
	}
	return frameChecker{messages: messages, first: first, known: make([][]byte, len(messages)), inflater: flate.NewReader(nil)}
}

// check returns the length of the frame at the beginning of in, 0 if it is not
// complete. A frame that was right before is not inflated again.
func (c *frameChecker) check(message int, in []byte) (size int, err error) {
	if known := c.known[message]; known != nil && bytes.HasPrefix(in, known) {
		return len(known), nil
	}
	if len(in) < 4 {
		return 0, nil
	}
	head, payload := 2, int(in[1])
	if payload == 126 {
		head, payload = 4, int(binary.BigEndian.Uint16(in[2:]))
	}
	if in[0] != c.first || in[1] > 126 {
		return 0, fmt.Errorf("a frame begins with % x", in[:2])
	}
	if size = head + payload; len(in) < size {
		return 0, nil
	}
	data := in[head:size]
	if c.first&deflateBit != 0 {
		if data, err = c.inflate(data); err != nil {
			return 0, fmt.Errorf("inflate a message: %w", err)
		}
	}
	if !bytes.Equal(data, c.messages[message]) {
		return 0, errWrongEcho
	}
	c.known[message] = append(c.known[message][:0], in[:size]...)
	return size, nil
}

// inflate undoes deflate. The last block that it adds says that the data ends there.
func (c *frameChecker) inflate(data []byte) ([]byte, error) {
	reset, ok := c.inflater.(flate.Resetter)
	if !ok {
		return nil, errors.New("the decompressor cannot be used again")
	}
	tail := strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")
	if err := reset.Reset(io.MultiReader(bytes.NewReader(data), tail), nil); err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(c.buf[:0])
	_, err := out.ReadFrom(io.LimitReader(c.inflater, maxSize+1))
	c.buf = out.Bytes()
	return c.buf, err
}
