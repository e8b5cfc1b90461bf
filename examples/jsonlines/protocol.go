package main

import (
	"bytes"
	"errors"

	"github.com/workerman-go/workerman"
)

// protocol cuts a stream into lines: a message is everything up to a line feed. These
// three methods are all that a protocol needs.
type protocol struct{}

// Input says how long the first message in buf is, 0 while its end has not arrived.
func (protocol) Input(_ *workerman.Conn, buf []byte) (int, error) {
	return bytes.IndexByte(buf, '\n') + 1, nil
}

// Decode takes the message out of its line. Empty lines, which people type, are skipped.
func (protocol) Decode(_ *workerman.Conn, frame []byte) ([]byte, error) {
	message := bytes.TrimSpace(frame)
	if len(message) == 0 {
		return nil, workerman.ErrSkip
	}
	return message, nil
}

var errLineFeed = errors.New("a message must not hold a line feed")

// Encode makes a line of a message.
func (protocol) Encode(_ *workerman.Conn, dst, data []byte) ([]byte, error) {
	if bytes.IndexByte(data, '\n') >= 0 {
		return dst, errLineFeed
	}
	return append(append(dst, data...), '\n'), nil
}
