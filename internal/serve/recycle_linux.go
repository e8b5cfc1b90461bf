package serve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// recyclePeriod is how often a process looks whether it has served long enough.
const recyclePeriod = time.Second

// recycle asks for a successor when the process has served long enough, until it has one or
// stops.
func (p *process) recycle(stopping context.Context, r Recycle) {
	began := time.Now()
	age := r.Age + time.Duration(rand.Int64N(int64(r.Age)/10+1)) // so that not all end together
	tick := time.NewTicker(recyclePeriod)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-stopping.Done():
			return
		}
		f := p.worker.Figures()
		if reason := r.reached(&f, time.Since(began) >= age); reason != "" {
			p.link.Send(control.Message{Kind: control.Replace, Reason: reason})
		}
	}
}

// reached names the limit that was reached rather than what was counted, so that exits are
// counted together. It is "" if none was; old says whether the age was.
func (r *Recycle) reached(f *control.Figures, old bool) string {
	switch {
	case r.Requests > 0 && f.Requests >= r.Requests:
		return fmt.Sprintf("%d requests", r.Requests)
	case r.Memory > 0 && f.Memory >= r.Memory:
		return fmt.Sprintf("%d MiB of memory", r.Memory>>20)
	case r.Age > 0 && old:
		return "age " + r.Age.String()
	}
	return ""
}
