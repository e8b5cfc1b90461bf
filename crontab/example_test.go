package crontab_test

import (
	"fmt"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/crontab"
)

func ExampleNew() {
	w := workerman.NewWorker("text://127.0.0.1:2345")
	w.OnWorkerStart = func(w *workerman.Worker) error {
		_, err := crontab.New("0 9 * * mon-fri", func() { w.Broadcast([]byte("good morning")) })
		return err // names what is wrong with the rule, and stops the start
	}
}

// Work that blocks leaves the loop; busy keeps a second run from beginning meanwhile.
func ExampleOptions_New() {
	w := workerman.NewWorker("text://127.0.0.1:2345")
	busy := false // only the loop touches it
	backup := func() (int, error) { return 0, nil }
	w.OnWorkerStart = func(w *workerman.Worker) error {
		nightly := crontab.Options{Name: "backup", Location: time.UTC, Late: 12 * time.Hour}
		_, err := nightly.New("30 2 * * *", func() {
			if !busy {
				busy = true
				workerman.Async(w, backup, func(int, error) { busy = false })
			}
		})
		return err
	}
}

func ExampleSchedule_Next() {
	s, err := crontab.Parse("TZ=Europe/Berlin 30 2 * * *")
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)
	for range 3 {
		at = s.Next(at)
		fmt.Println(at)
	}
	// Output:
	// 2026-03-28 02:30:00 +0100 CET
	// 2026-03-29 03:00:00 +0200 CEST
	// 2026-03-30 02:30:00 +0200 CEST
}
