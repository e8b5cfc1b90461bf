// Package text is the line protocol: a message is everything up to a line feed.
// Programs as telnet and nc speak it. It is sans-I/O: bytes in, bytes out.
package text

import "bytes"

// Size returns the length of the first message in buf with its line feed, 0 if the line
// is not complete. The first scanned bytes are known to hold no line feed, so that a
// long line that arrives in pieces is looked at once.
func Size(buf []byte, scanned int) int {
	i := bytes.IndexByte(buf[scanned:], '\n')
	if i < 0 {
		return 0
	}
	return scanned + i + 1
}

// Decode returns the message in frame: the line without the line feeds and carriage
// returns at its end. An empty line is an empty message.
func Decode(frame []byte) []byte {
	n := len(frame)
	for n > 0 && (frame[n-1] == '\n' || frame[n-1] == '\r') {
		n--
	}
	return frame[:n]
}

// Append appends data as a message to dst. A line feed inside data begins another
// message for the receiver; binary data belongs into package frame.
func Append(dst, data []byte) []byte {
	return append(append(dst, data...), '\n')
}
