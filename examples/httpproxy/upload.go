package main

import (
	"io"
	"sync"

	"github.com/workerman-go/workerman"
)

// upload is the body of a request on its way to the server: the loop writes it, a goroutine
// of net/http reads it. What nobody has read holds the client back.
type upload struct {
	c *workerman.Conn

	mu     sync.Mutex
	news   sync.Cond
	data   []byte
	ended  bool // by the client
	closed bool // by the reader
	after  func()
}

// enough is how much may wait to be read.
const enough = 64 << 10

func newUpload(c *workerman.Conn) *upload {
	u := &upload{c: c}
	u.news.L = &u.mu
	return u
}

// write adds a piece, on the loop.
func (u *upload) write(piece []byte, last bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return
	}
	u.data, u.ended = append(u.data, piece...), last
	if len(u.data) > enough {
		u.c.PauseRecv()
	}
	u.news.Signal()
	u.passed()
}

// then calls fn on the loop when the body is through, or nobody wants it any more.
func (u *upload) then(fn func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.after = fn
	u.passed()
}

// passed is called with the lock held.
func (u *upload) passed() {
	if u.after != nil && (u.ended || u.closed) {
		u.c.Post(u.after)
		u.after = nil
	}
}

// Read waits for a piece.
func (u *upload) Read(b []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.data) == 0 && !u.ended && !u.closed {
		u.news.Wait()
	}
	switch {
	case u.closed:
		return 0, io.ErrClosedPipe
	case len(u.data) == 0:
		return 0, io.EOF
	}
	n := copy(b, u.data)
	if u.data = u.data[n:]; len(u.data) == 0 {
		u.data = nil
		u.c.ResumeRecv()
	}
	return n, nil
}

// Close is called when nothing will be read any more.
func (u *upload) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed, u.data = true, nil
	u.c.ResumeRecv()
	u.news.Signal()
	u.passed()
	return nil
}
