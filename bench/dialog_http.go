package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// httpVariants is how many different bodies a POST can have.
const httpVariants = 32

// httpDialog asks for the page, or posts bodies that have to come back. The
// mark counts the answers of a burst.
type httpDialog struct {
	depth    int
	out      [][]byte
	body     [][][]byte // that has to come back, of each variant and message
	seen     []byte     // the head that was looked at last
	seenSize int        // and the length of the body that it tells
}

// requestFields are those of a browser's or a proxy's short request.
const requestFields = "Host: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: text/plain,text/html;q=0.9,*/*;q=0.8\r\nConnection: keep-alive\r\n"

func newHTTPDialog(l load, depth int) *httpDialog {
	d := &httpDialog{depth: depth}
	if l.Task == pageTask {
		bodies := make([][]byte, depth)
		for k := range bodies {
			bodies[k] = []byte(page)
		}
		d.body = [][][]byte{bodies}
		d.out = [][]byte{bytes.Repeat([]byte("GET / HTTP/1.1\r\n"+requestFields+"\r\n"), depth)}
		return d
	}
	pattern := newPattern(l.Size)
	head := "POST / HTTP/1.1\r\n" + requestFields +
		"Content-Type: application/octet-stream\r\nContent-Length: " + strconv.Itoa(l.Size) + "\r\n\r\n"
	for v := range httpVariants {
		var out []byte
		var bodies [][]byte
		for k := range depth {
			shift := (v*depth + k) % patternShifts
			bodies = append(bodies, pattern[shift:shift+l.Size])
			out = append(append(out, head...), bodies[k]...)
		}
		d.out, d.body = append(d.out, out), append(d.body, bodies)
	}
	return d
}

func (d *httpDialog) burst(i, n int) []byte { return d.out[variant(i, n, len(d.out))] }

func (d *httpDialog) check(i, n int, at *int, in []byte) (used int, done bool, err error) {
	bodies := d.body[variant(i, n, len(d.body))]
	for *at < d.depth {
		end := bytes.Index(in[used:], []byte("\r\n\r\n"))
		if end < 0 {
			return used, false, nil
		}
		size, err := d.head(in[used : used+end+4])
		if err != nil {
			return used, false, err
		}
		body := in[used+end+4:]
		if len(body) < size {
			return used, false, nil
		}
		if !bytes.Equal(body[:size], bodies[*at]) {
			return used, false, fmt.Errorf("the body is wrong: %d bytes, not the %d expected", size, len(bodies[*at]))
		}
		*at++
		used += end + 4 + size
	}
	return used, true, nil
}

// head returns the length of the body that a head tells. Most heads are the
// same as the one before, and are not looked at again.
func (d *httpDialog) head(head []byte) (int, error) {
	if bytes.Equal(head, d.seen) {
		return d.seenSize, nil
	}
	size, err := parseHead(head)
	if err != nil {
		return 0, err
	}
	d.seen, d.seenSize = append(d.seen[:0], head...), size
	return size, nil
}

// parseHead wants what every answer of a server in this benchmark has to have:
// status 200, a date, the type and the length of its body.
func parseHead(head []byte) (size int, err error) {
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	if !bytes.Equal(line, []byte("HTTP/1.1 200 OK")) {
		return 0, fmt.Errorf("the status line is %q", line)
	}
	var date, kind bool
	size = -1
	for line := range bytes.SplitSeq(fields, []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch string(bytes.ToLower(name)) {
		case "content-length":
			if size, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || size < 0 {
				return 0, fmt.Errorf("the field %q", line)
			}
		case "transfer-encoding", "connection":
			if !bytes.EqualFold(bytes.TrimSpace(value), []byte("keep-alive")) {
				return 0, fmt.Errorf("the field %q", line)
			}
		case "date":
			date = true
		case "content-type":
			kind = true
		}
	}
	if size < 0 || !date || !kind {
		return 0, errors.New("the head has not all of Content-Length, Content-Type and Date")
	}
	return size, nil
}
