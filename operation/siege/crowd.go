// Package siege has crowds of clients who notice everything that goes wrong with a service:
// a refused connection, a failed request, a message that is lost, doubled or late.
package siege

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

// Options of a Crowd. The service is that of operation/program: HTTP that answers with its
// version, and a WebSocket at /ws that echoes.
type Options struct {
	Addr      string        // where the service listens, HOST:PORT
	Talkers   int           // WebSockets, each with numbered messages, one exchange at a time
	Pace      time.Duration // between the exchanges of a talker
	Askers    int           // connections of HTTP with one request after the other
	AskPace   time.Duration // between the requests of an asker
	Newcomers int           // clients who connect anew for each request
	NewPace   time.Duration // between the connections of a newcomer
	// MayBreak says that connections may end, as those of a process that is killed do: then
	// they are made again and counted, and only refused connections and wrong answers are faults.
	MayBreak bool
}

// Kinds of faults.
const (
	Refused      = "connections refused"
	FailedAsk    = "requests failed"
	Disconnected = "WebSockets disconnected"
	Disorder     = "messages lost, doubled or reordered"
)

// patience is how long a client waits for an answer before it counts as lost.
var patience = testkit.Patience

// maxExamples is how many faults are kept in words.
const maxExamples = 10

// Crowd are clients at work.
type Crowd struct {
	o       Options
	over    chan struct{}
	clients sync.WaitGroup

	messages, requests, arrivals, broken atomic.Int64

	mu       sync.Mutex // guards what follows
	faults   map[string]int
	examples []string
	talkers  []*record
	askers   []*record
}

// record is what is known of a client.
type record struct {
	longest   atomic.Int64 // time of an exchange since the last report, in nanoseconds
	exchanges atomic.Int64
}

// add counts an exchange.
func (r *record) add(d time.Duration) {
	r.exchanges.Add(1)
	for {
		was := r.longest.Load()
		if int64(d) <= was || r.longest.CompareAndSwap(was, int64(d)) {
			return
		}
	}
}

// Begin returns when all talkers and askers are connected and have had an answer.
func Begin(o Options) (*Crowd, error) {
	c := &Crowd{o: o, over: make(chan struct{}), faults: make(map[string]int)}
	ready := make(chan error, o.Talkers+o.Askers)
	n := 0
	start := func(fn func(started func(error))) {
		n++
		var once sync.Once
		c.clients.Go(func() { fn(func(err error) { once.Do(func() { ready <- err }) }) })
	}
	for i := range o.Talkers {
		r := new(record)
		c.talkers = append(c.talkers, r)
		start(func(started func(error)) { c.talk(i, r, started) })
		if i%dialAhead == dialAhead-1 { // no more at a time than a queue of new connections holds
			for range dialAhead {
				if err := <-ready; err != nil {
					return nil, c.fail(err)
				}
				n--
			}
		}
	}
	for i := range o.Askers {
		r := new(record)
		c.askers = append(c.askers, r)
		start(func(started func(error)) { c.askAll(i, r, started) })
	}
	for range n {
		if err := <-ready; err != nil {
			return nil, c.fail(err)
		}
	}
	for i := range o.Newcomers {
		c.clients.Go(func() { c.comeAnew(i) })
	}
	return c, nil
}

// dialAhead is how many talkers connect at a time.
const dialAhead = 100

// fail ends those who have started already.
func (c *Crowd) fail(err error) error {
	close(c.over)
	return fmt.Errorf("siege: %w", err)
}

// Report is what clients went through since the last one.
type Report struct {
	Messages, Requests, Arrivals int64          // exchanges in good order
	Broken                       int64          // connections that ended, with Options.MayBreak
	Faults                       map[string]int // by kind
	Examples                     []string       // some faults, in words
	Gaps, Waits                  Times          // longest exchange of each talker; of each asker
}

// Report tells what has happened since it was called last, or since Begin.
func (c *Crowd) Report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Report{
		Messages: c.messages.Swap(0), Requests: c.requests.Swap(0), Arrivals: c.arrivals.Swap(0), Broken: c.broken.Swap(0),
		Faults: c.faults, Examples: c.examples, Gaps: takeTimes(c.talkers), Waits: takeTimes(c.askers),
	}
	c.faults, c.examples = make(map[string]int), nil
	return r
}

// Everyone returns a function that reports whether each talker and asker has had an answer
// to something that it said after this call.
func (c *Crowd) Everyone() (heard func() bool) {
	records := slices.Concat(c.talkers, c.askers)
	goals := make([]int64, len(records))
	for i, r := range records {
		goals[i] = r.exchanges.Load() + 2 // the first may have been under way
	}
	return func() bool {
		for i, r := range records {
			if r.exchanges.Load() < goals[i] {
				return false
			}
		}
		return true
	}
}

// End ends the crowd after its current exchanges and reports the rest.
func (c *Crowd) End() Report {
	close(c.over)
	c.clients.Wait()
	return c.Report()
}

// fault notes what should not have happened.
func (c *Crowd) fault(kind string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults[kind]++
	if len(c.examples) < maxExamples {
		c.examples = append(c.examples, time.Now().Format("15:04:05.000 ")+kind+": "+err.Error())
	}
}

// errAnswer is the cause of an answer that came and is wrong.
var errAnswer = errors.New("wrong answer")

// lost deals with the end of a connection. It reports whether the client may connect again.
func (c *Crowd) lost(kind string, err error) (again bool) {
	if errors.Is(err, errAnswer) {
		kind = Disorder
	} else if c.o.MayBreak && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.broken.Add(1)
		return true
	}
	c.fault(kind, err)
	return false
}

// unreached notes a connection that could not be made.
func (c *Crowd) unreached(err error) {
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EMFILE) {
		err = fmt.Errorf("the fault is of this machine: %w", err)
	}
	c.fault(Refused, err)
}

// pause waits between two exchanges; false when the crowd is over.
func (c *Crowd) pause(d time.Duration) bool {
	if d <= 0 {
		select {
		case <-c.over:
			return false
		default:
			return true
		}
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.over:
		return false
	}
}
