package dialer

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// answerLife is how long an answer is remembered: the lifetime that its server gave is
	// not known.
	answerLife = 5 * time.Second
	// maxAnswers bounds the names that are remembered.
	maxAnswers = 1024
	// maxLookUp ends a look-up that nobody waits for any more.
	maxLookUp = 30 * time.Second
)

// Loop is where a Resolver answers: an event loop that runs functions one after the other.
type Loop interface {
	// Post runs fn later on the loop, or never if the loop has stopped.
	Post(fn func()) bool
}

// Resolver looks names up on goroutines, once for all who ask at the same time, and remembers
// the addresses for 5 seconds, so that a thousand clients that reconnect make one question.
// The zero value is ready. Its methods may be called from every goroutine.
type Resolver struct {
	// LookUp asks for the addresses of a name. Default: the resolver of the system. Set it
	// before the first Find.
	LookUp func(ctx context.Context, name string) ([]netip.Addr, error)

	mu      sync.Mutex
	answers map[string]answer
	asked   map[string][]*question
}

// answer holds the addresses of a name.
type answer struct {
	ips   []netip.Addr
	until time.Time
}

// question waits for an answer on a loop.
type question struct {
	loop      Loop
	done      func([]netip.Addr, error)
	cancelled bool // belongs to the loop
}

// Find looks the name up and calls done on the loop, later: with one address at least, or
// with an error, a *net.DNSError from the system's resolver. cancel runs on the loop; after
// it, done is not called any more.
func (r *Resolver) Find(l Loop, name string, done func([]netip.Addr, error)) (cancel func()) {
	q := &question{loop: l, done: done}
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, ok := r.answers[name]; ok && time.Now().Before(a.until) {
		q.answer(a.ips, nil)
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

// Waiting returns how many questions have no answer yet, those that were cancelled included.
func (r *Resolver) Waiting() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, questions := range r.asked {
		n += len(questions)
	}
	return n
}

// ask looks a name up and answers all who have asked for it by then.
func (r *Resolver) ask(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), maxLookUp)
	defer cancel()
	lookUp := r.LookUp
	if lookUp == nil {
		lookUp = systemLookUp
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
		q.answer(ips, err)
	}
}

func systemLookUp(ctx context.Context, name string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
}

// answer calls done on the loop, unless the question has been cancelled by then.
func (q *question) answer(ips []netip.Addr, err error) {
	q.loop.Post(func() {
		if !q.cancelled {
			q.done(ips, err)
		}
	})
}

func (q *question) cancel() { q.cancelled = true }
