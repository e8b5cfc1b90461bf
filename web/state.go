package web

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// ErrState is returned for bytes that AppendState did not write.
var ErrState = errors.New("http: damaged parser state")

const stateVersion = 1

// AppendState appends what a parser of another process needs to go on with the connection:
// what has arrived of a request whose body is collected. The input that Parse did not use
// belongs to the caller, and has to be given to the other parser again. It is for the time
// after NeedMore and between requests, but not for a body that is handed out in pieces.
func (p *Parser) AppendState(dst []byte) []byte {
	var head, body []byte
	if p.partial != nil {
		head, body = p.partial.head, p.partial.body
	}
	flags := byte(0)
	if p.continued {
		flags = 1
	}
	dst = append(dst, stateVersion, byte(p.state), flags, p.blank)
	for _, n := range []int64{p.left, p.total, int64(p.extension)} {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	for _, b := range [][]byte{head, body} {
		dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	}
	return dst
}

// RestoreParser is the reverse of AppendState. What o says may differ from what the state was
// made with, and holds from then on. from comes from a process of the same program: it is
// checked for damage, not for malice.
func RestoreParser(o *Options, from []byte) (Parser, error) {
	const fixed = 4
	if len(from) < fixed || from[0] != stateVersion || from[2] > 1 || from[3] > maxBlankLines {
		return Parser{}, ErrState
	}
	p := Parser{Options: o, continued: from[2] == 1, blank: from[3], state: state(from[1])}

	rest, damaged := from[fixed:], false
	number := func() int64 {
		v, n := binary.Uvarint(rest)
		if n <= 0 || v > 1<<62 {
			damaged = true
			return 0
		}
		rest = rest[n:]
		return int64(v)
	}
	part := func() (b []byte) {
		n := number()
		if n > int64(len(rest)) {
			damaged = true
			return nil
		}
		b, rest = rest[:n], rest[n:]
		return b
	}
	p.left, p.total = number(), number()
	extension := number()
	head, body := part(), part()
	if damaged || len(rest) > 0 || extension > 1<<30 {
		return Parser{}, ErrState
	}
	p.extension = int32(extension)
	switch {
	case p.state == inHead && len(head)+len(body) == 0 && p.left+p.total+extension == 0:
		return p, nil
	case p.state >= inChunkSize && p.state <= inTrailer && len(head) > 0 && (p.left > 0) == (p.state == inChunk):
		p.partial = &partial{bytes.Clone(head), bytes.Clone(body)}
		return p, nil
	}
	return Parser{}, ErrState
}
