// Package frame is the length protocol: a message is a big-endian 32-bit length, which
// counts itself, and that many bytes less four. It carries any bytes. It is sans-I/O:
// bytes in, bytes out.
package frame

import (
	"encoding/binary"
	"errors"
	"math"
)

// HeaderSize is the length of the length.
const HeaderSize = 4

// ErrLength is a length below HeaderSize, which no sender of this protocol writes.
var ErrLength = errors.New("frame: length below 4")

// ErrTooLong is a message that the 32-bit length cannot express.
var ErrTooLong = errors.New("frame: message of 4 GiB or more")

// Size returns the length of the first message in buf with its header, 0 if the header
// is not complete. The message itself may not have arrived yet.
func Size(buf []byte) (int, error) {
	if len(buf) < HeaderSize {
		return 0, nil
	}
	n := binary.BigEndian.Uint32(buf)
	switch {
	case n < HeaderSize:
		return 0, ErrLength
	case uint64(n) > math.MaxInt:
		return 0, ErrTooLong
	}
	return int(n), nil
}

// Decode returns the message in frame.
func Decode(frame []byte) []byte { return frame[HeaderSize:] }

// Append appends data as a message to dst.
func Append(dst, data []byte) ([]byte, error) {
	dst, err := AppendHeader(dst, len(data))
	if err != nil {
		return dst, err
	}
	return append(dst, data...), nil
}

// AppendHeader appends the header of a message of size bytes to dst.
func AppendHeader(dst []byte, size int) ([]byte, error) {
	if uint64(size)+HeaderSize > math.MaxUint32 {
		return dst, ErrTooLong
	}
	return binary.BigEndian.AppendUint32(dst, uint32(size)+HeaderSize), nil
}
