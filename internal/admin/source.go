package admin

import (
	"context"
	"io"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// Source is the running service that the pages tell about. Its methods are called from many
// goroutines at a time.
type Source interface {
	// Status asks all processes for their figures.
	Status(ctx context.Context) (control.Status, error)
	// Connections writes lines of control.Connection.
	Connections(ctx context.Context, f control.Filter, w io.Writer) error
	// Stack writes where processes stand: all, those of a worker, or one. A zero value means
	// any.
	Stack(ctx context.Context, worker string, pid int, w io.Writer) error
	// Profile writes what WriteProfile writes in the process of that pid, which is one of
	// those in the status, not the master.
	Profile(ctx context.Context, pid int, name string, query url.Values, w io.Writer) error
}

// statusTime bounds how long a status may take.
const statusTime = 10 * time.Second

// view is a status with what is known from the ones before. It is not changed any more.
type view struct {
	status control.Status
	names  []string // names for status.Workers, each different
	slots  []slot
}

// viewer takes views.
type viewer struct {
	source Source

	mu     sync.Mutex // guards what follows; held while the source is asked, so that others get its answer
	last   *view
	asked  time.Time // when the source was asked for it
	ledger ledger
}

// view returns a view that was taken after since. Those who have waited for their turn share
// one, so however many pages and scrapers there are, processes get one question at a time.
func (v *viewer) view(ctx context.Context, since time.Time) (*view, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last != nil && !v.asked.Before(since) {
		return v.last, nil
	}
	now := time.Now()
	// Others wait for the answer, so it does not end with the request that asked first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statusTime)
	defer cancel()
	status, err := v.source.Status(ctx)
	if err != nil {
		return nil, err
	}
	names := distinct(status.Workers)
	v.last = &view{status: status, names: names, slots: v.ledger.enter(status.Workers, names)}
	v.asked = now
	return v.last, nil
}

// distinct names the workers so that no two are called the same: by name, and where that is
// not enough by name and address, and a number.
func distinct(workers []control.Worker) []string {
	count := make(map[string]int)
	for _, w := range workers {
		count[w.Name]++
	}
	used := make(map[string]bool)
	names := make([]string, len(workers))
	for i, w := range workers {
		name := w.Name
		if count[name] > 1 {
			name += " " + w.Listen
		}
		names[i] = name
		for n := 2; used[names[i]]; n++ {
			names[i] = name + " " + strconv.Itoa(n)
		}
		used[names[i]] = true
	}
	return names
}
