package crontab

import (
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// A process runs the jobs of the worker that it serves and not those of others.
func TestOnce(t *testing.T) {
	everyEngine(t, func(t *testing.T, m *workerman.Master, log *logBuffer) {
		w, other := m.NewWorker(""), new(workerman.Master).NewWorker("")
		ran := make(chan string, 10)
		must(t)(Options{On: m, Only: Once(w)}.New("* * * * * *", func() { ran <- "w" }))
		must(t)(Options{On: m, Only: Once(other)}.New("* * * * * *", func() { ran <- "other" }))
		if Once(w)() {
			t.Error("it is to run before the worker does")
		}
		run(t, m)
		for range 2 {
			if got := testkit.Receive(t, ran, "a run"); got != "w" {
				t.Errorf("the job of %s runs", got)
			}
		}
	})
}
