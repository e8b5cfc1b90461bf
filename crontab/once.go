package crontab

import "github.com/workerman-go/workerman"

// Once is an Options.Only for programs with several processes: of all of them the job runs in
// the first of w's, the one whose ID is 0. At a reload its successor takes over, and a run
// that falls into the moment in which both serve may come twice; with processes on several
// machines each of them has a first one. What may not happen twice needs a lock of its own.
func Once(w *workerman.Worker) func() bool {
	return func() bool { return w.ID() == 0 && w.Context().Err() == nil }
}
