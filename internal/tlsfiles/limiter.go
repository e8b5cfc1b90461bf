package tlsfiles

import (
	"sync"
	"time"
)

// LinesPerSecond is how many lines a LogLimiter admits in a second.
const LinesPerSecond = 10

// LogLimiter bounds the lines of a log about something that anyone can cause. Its zero value
// is ready, and it may be used from every goroutine.
type LogLimiter struct {
	mu         sync.Mutex
	second     int64
	lines      int
	suppressed int
}

// Admit reports whether a line may be logged now. If so, suppressed is how many lines were
// not, since the last one that was.
func (l *LogLimiter) Admit(now time.Time) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := now.Unix(); s != l.second {
		l.second, l.lines = s, 0
	}
	if l.lines == LinesPerSecond {
		l.suppressed++
		return 0, false
	}
	l.lines++
	suppressed, l.suppressed = l.suppressed, 0
	return suppressed, true
}
