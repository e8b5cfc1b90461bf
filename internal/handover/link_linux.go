package handover

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Connections move in batches over a stream socket between two processes:
//
//	old process                          new process
//	offer: descriptors, states  ───────>
//	                            <─────── answer: taken or refused, for each
//	...                                  serves those that it took
//	end                         ───────>
//
// The answer decides. Before it, everything is with the old process, which goes on with all
// connections if the link or the other side fails; once it is written, those that were taken
// are the new one's, even if the old one dies. An old process that gives up waiting first shuts
// its receiving side, which the kernel does at one moment for both: the answer is there
// before it, or can never be written.

const (
	linkOffer  = 1 // and the number of connections and bytes, with the descriptors
	linkEnd    = 2
	linkAnswer = 3 // and a byte for each connection

	linkHead = 7 // bytes of an offer or end in front of the states

	// maxOffer is how many connections go at a time; the kernel passes 253 descriptors.
	maxOffer = 250
	// offerBytes is from where on no further connection is put into an offer.
	offerBytes = 1 << 20
)

// These are the bytes of an answer.
const (
	refused = 0
	taken   = 1
)

var (
	errLink = errors.New("hand-over: the other process does not keep to the protocol")
	// errEnd is the end of the connections: the other process has told that it has no more.
	errEnd = errors.New("no further connections")
)

// offer is a batch of connections.
type offer struct {
	fds    []int
	states []byte // each behind its length
}

// add puts one more connection in.
func (o *offer) add(fd int, state []byte) {
	o.fds = append(o.fds, fd)
	o.states = appendPart(o.states, state)
}

// full reports whether no further connection goes into the offer.
func (o *offer) full() bool { return len(o.fds) >= maxOffer || len(o.states) >= offerBytes }

// send offers a batch and returns the answers, none if nothing of it was taken. After an
// error, as that the other side has not answered within timeout, the link is of no use; there
// may be answers nevertheless.
func (o *offer) send(link *net.UnixConn, timeout time.Duration) (answers []byte, err error) {
	link.SetDeadline(time.Now().Add(timeout))
	if err = writeHead(link, linkOffer, o.fds, len(o.states)); err == nil {
		_, err = link.Write(o.states)
	}
	answer := make([]byte, 1+len(o.fds))
	n := 0
	if err == nil {
		n, err = io.ReadFull(link, answer)
	}
	if err != nil {
		link.CloseRead()
		link.SetReadDeadline(time.Time{})
		more, _ := io.ReadFull(link, answer[n:])
		n += more
	}
	switch {
	case n < len(answer):
		return nil, fmt.Errorf("hand-over: %w", err)
	case answer[0] != linkAnswer:
		return nil, errLink
	}
	return answer[1:], err
}

// writeEnd tells the other side that there are no further connections.
func writeEnd(link *net.UnixConn) error { return writeHead(link, linkEnd, nil, 0) }

// writeHead sends the fixed part of a message, with descriptors.
func writeHead(link *net.UnixConn, kind byte, fds []int, size int) error {
	var head [linkHead]byte
	head[0] = kind
	binary.BigEndian.PutUint16(head[1:], uint16(len(fds)))
	binary.BigEndian.PutUint32(head[3:], uint32(size))
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	_, _, err := link.WriteMsgUnix(head[:], rights, nil)
	return err
}

// readOffer waits for a batch; errEnd is the end. The descriptors are the caller's, also
// those that come with an error; there may be fewer than connections if this process may
// open no more.
func readOffer(link *net.UnixConn) (fds []int, states [][]byte, err error) {
	var head [linkHead]byte
	rights := make([]byte, unix.CmsgSpace(maxOffer*4))
	n, oobn, _, _, err := link.ReadMsgUnix(head[:], rights)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the other process has ended before it was through
	}
	if err != nil {
		return nil, nil, fmt.Errorf("hand-over: %w", err)
	}
	fds = parseRights(rights[:oobn])
	if _, err = io.ReadFull(link, head[n:]); err != nil {
		return fds, nil, fmt.Errorf("hand-over: %w", err)
	}
	count, size := int(binary.BigEndian.Uint16(head[1:])), int(binary.BigEndian.Uint32(head[3:]))
	switch {
	case head[0] == linkEnd:
		return fds, nil, errEnd
	case head[0] != linkOffer || count > maxOffer:
		return fds, nil, errLink
	}
	all := make([]byte, size)
	if _, err = io.ReadFull(link, all); err != nil {
		return fds, nil, fmt.Errorf("hand-over: %w", err)
	}
	r := reader{rest: all}
	for range count {
		states = append(states, r.part())
	}
	if r.damaged || len(r.rest) > 0 {
		return fds, nil, errLink
	}
	return fds, states, nil
}

// parseRights returns the descriptors in control messages, which are closed on exec.
func parseRights(b []byte) (fds []int) {
	messages, err := unix.ParseSocketControlMessage(b)
	if err != nil {
		return nil
	}
	for i := range messages {
		if list, err := unix.ParseUnixRights(&messages[i]); err == nil {
			fds = append(fds, list...)
		}
	}
	return fds
}
