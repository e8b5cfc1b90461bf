package workerman

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/workerman-go/workerman/internal/loop"
)

// resolver looks names up on goroutines, once for all who ask at the same time, and
// remembers the addresses for a moment, so that a thousand clients that reconnect make one
// question. Its zero value is ready.
type resolver struct {
	lookUp func(context.Context, string) ([]netip.Addr, error) // nil: the system's; of tests

	mu      sync.Mutex
	answers map[string]answer
	asked   map[string][]*question
}

// answer are the addresses of a name.
type answer struct {
	ips   []netip.Addr
	until time.Time
}

// question waits for an answer on a loop.
type question struct {
	loop      *loop.Loop
	done      func([]netip.Addr, error)
	cancelled bool // of the loop
}

const (
	// answerLife is how long an answer is remembered: the lifetime that its server gave is
	// not known.
	answerLife = 5 * time.Second
	// maxAnswers bounds the names that are remembered.
	maxAnswers = 1024
	// maxLookUp ends a look-up that nobody waits for any more.
	maxLookUp = 30 * time.Second
)

// find calls done on the loop, later, unless it is cancelled there before.
func (r *resolver) find(l *loop.Loop, name string, done func([]netip.Addr, error)) (cancel func()) {
	q := &question{loop: l, done: done}
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, ok := r.answers[name]; ok && time.Now().Before(a.until) {
		q.tell(a.ips, nil)
		return q.cancel
	}
	if r.asked == nil {
		r.asked = make(map[string][]*question)
	}
	first := r.asked[name] == nil
	r.asked[name] = append(r.asked[name], q)
	if first {
		go r.ask(name)
	}
	return q.cancel
}

func (r *resolver) ask(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), maxLookUp)
	defer cancel()
	lookUp := r.lookUp
	if lookUp == nil {
		lookUp = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	ips, err := lookUp(ctx, name)
	if err == nil && len(ips) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: name, IsNotFound: true}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := r.asked[name]
	delete(r.asked, name)
	if err == nil {
		if r.answers == nil || len(r.answers) >= maxAnswers {
			r.answers = make(map[string]answer)
		}
		r.answers[name] = answer{ips, time.Now().Add(answerLife)}
	}
	for _, q := range waiting {
		q.tell(ips, err)
	}
}

func (q *question) tell(ips []netip.Addr, err error) {
	q.loop.Post(func() {
		if !q.cancelled {
			q.done(ips, err)
		}
	})
}

func (q *question) cancel() { q.cancelled = true }
