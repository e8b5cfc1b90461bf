package main

import (
	"bytes"
	"errors"
)

// A dialog knows what connections say and what has to come back. It keeps
// nothing about a connection, whose state is the number of its burst and a mark.
type dialog interface {
	// burst is what connection i writes as its burst n.
	burst(i, n int) []byte
	// check looks at bytes that have come back of that burst. It returns how many it
	// has used up, and whether the burst is answered; the rest is shown again with
	// what comes next. at is 0 at the beginning of a burst and belongs to check.
	check(i, n int, at *int, in []byte) (used int, done bool, err error)
}

// newDialog returns the dialog of a load, with depth messages in a burst.
func newDialog(l load, depth int) (dialog, error) {
	switch {
	case l.http():
		return newHTTPDialog(l, depth), nil
	case l.websocket() && l.text():
		return newFrameDialog(l, depth)
	case l.websocket():
		return newWebSocketDialog(l.Size, depth), nil
	}
	return newEchoDialog(l.Size * depth), nil
}

// newProbe returns a dialog of one message, which tells that a connection is served.
// A server of broadcasts echoes binary messages.
func newProbe(l load) (dialog, error) {
	if l.Task == broadcastTask {
		return newBinaryProbe(l)
	}
	return newDialog(l, 1)
}

var errWrongEcho = errors.New("an echoed byte is wrong")

// exactDialog has a number of variants of a burst, and knows every byte that
// has to come back of each. The mark counts these bytes.
type exactDialog struct {
	out, want [][]byte
}

// newEchoDialog is for bytes without a protocol.
func newEchoDialog(burst int) *exactDialog {
	pattern := newPattern(burst)
	d := &exactDialog{}
	for shift := range patternShifts {
		d.out = append(d.out, pattern[shift:shift+burst])
	}
	d.want = d.out
	return d
}

// variant chooses among count variants, so that neither neighbours nor bursts that
// follow each other have the same.
func variant(i, n, count int) int { return (i*67 + n*129) % count }

func (d *exactDialog) burst(i, n int) []byte { return d.out[variant(i, n, len(d.out))] }

func (d *exactDialog) check(i, n int, at *int, in []byte) (used int, done bool, err error) {
	want := d.want[variant(i, n, len(d.want))][*at:]
	used = min(len(in), len(want))
	if !bytes.Equal(in[:used], want[:used]) {
		return 0, false, errWrongEcho
	}
	*at += used
	return used, used == len(want), nil
}
