package workerman

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/workerman-go/workerman/web"
)

// failureLog bounds the lines about handshakes of TLS that failed: anyone can cause them.
type failureLog struct {
	mu         sync.Mutex
	second     int64
	lines      int
	suppressed int
}

// failureLines is how many lines a worker logs in a second.
const failureLines = 10

// admit reports whether a line may be logged, and how many were not since the last.
func (f *failureLog) admit(now time.Time) (suppressed int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := now.Unix(); s != f.second {
		f.second, f.lines = s, 0
	}
	if f.lines == failureLines {
		f.suppressed++
		return 0, false
	}
	f.lines++
	suppressed, f.suppressed = f.suppressed, 0
	return suppressed, true
}

// unsecured counts and logs that a connection got no further than its handshake of TLS.
func (s *service) unsecured(c *Conn, err error) {
	c.enter(stageRefused)      // said once
	defer s.tlsFailures.Add(1) // who sees the number finds the line
	suppressed, ok := s.security.failures.admit(s.security.now())
	if !ok {
		return
	}
	args := []any{"peer", c.peer(), "reason", err.Error()}
	if suppressed > 0 {
		args = append(args, "not_logged", suppressed)
	}
	s.log.Warn("TLS handshake failed", args...)
}

// explain turns the error of a handshake into one that says who did what.
func explain(err error) error {
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &header) && isHTTP(string(header.RecordHeader[:])):
		return fmt.Errorf("client sent plain HTTP to a TLS port: %w", err)
	case errors.As(err, &header):
		return fmt.Errorf("client does not speak TLS: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("client left in the middle: %w", err)
	}
	return err
}

// answerInClear tells a client that sent plain HTTP to https:// what is wrong, in the
// language that it understands.
func answerInClear(err error) {
	var header tls.RecordHeaderError
	if errors.As(err, &header) && header.Conn != nil && isHTTP(string(header.RecordHeader[:])) {
		refusal := web.Text("This port speaks HTTPS.\n")
		refusal.Status = 400
		header.Conn.Write(refusal.Append(nil, web.Exchange{}, nil))
	}
}

// isHTTP recognizes the beginning of a request in the place of a record's five bytes.
func isHTTP(head string) bool {
	for _, method := range []string{"GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO", "CONNE", "TRACE"} {
		if strings.HasPrefix(head, method) {
			return true
		}
	}
	return false
}
