// Crontab tells all clients the time by a rule, says when it will do so next, and does a
// piece of work by another rule that would block the loop.
//
//	go run ./examples/crontab -rule '*/5 * * * * *'
//	nc 127.0.0.1 2352                # listen; or type next
//
// It also shows when a rule runs, here over the change to summer time:
//
//	go run ./examples/crontab -rule 'TZ=Europe/Berlin 30 2 * * *' -next 5 -after 2027-03-26T00:00:00Z
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/crontab"
)

func main() {
	listen := flag.String("listen", "text://127.0.0.1:2352", "`SCHEME://ADDR` to serve on")
	rule := flag.String("rule", "*/10 * * * * *", "tell the time by this `rule`")
	report := flag.String("report", "0 3 * * *", "write a report by this `rule`")
	next := flag.Int("next", 0, "only print the next `n` runs of -rule")
	after := flag.String("after", "", "the `time` after which -next begins, by default now")
	flag.Parse()

	if *next > 0 {
		if err := show(*rule, *next, *after); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	w := workerman.NewWorker(*listen)
	w.Name = "crontab"
	w.OnWorkerStart = func(w *workerman.Worker) error {
		clock, err := crontab.New(*rule, func() { w.Broadcast([]byte("It is " + time.Now().Format(time.TimeOnly))) })
		if err != nil {
			return err
		}
		w.OnMessage = func(c *workerman.Conn, data []byte) {
			if string(data) == "next" {
				c.Send([]byte("next at " + clock.Next().Format(time.RFC3339)))
			}
		}
		return reports(w, *report)
	}
	workerman.RunAll()
}

// reports has a report written at night, or later if the machine slept. That takes a while,
// so it leaves the loop; a run that finds the one before at work does nothing.
func reports(w *workerman.Worker, rule string) error {
	busy := false // only the loop touches it
	_, err := crontab.Options{Name: "report", Late: 12 * time.Hour}.New(rule, func() {
		if busy {
			return
		}
		busy = true
		workerman.Async(w, write, func(text string, err error) {
			busy = false
			slog.Info("report written", "text", text, "err", err)
		})
	})
	return err
}

// write may block: it runs on a goroutine of its own.
func write() (string, error) {
	host, err := os.Hostname()
	return "all is well on " + host, err
}

// show prints when a rule runs.
func show(rule string, n int, after string) error {
	schedule, err := crontab.Parse(rule)
	if err != nil {
		return err
	}
	at := time.Now()
	if after != "" {
		if at, err = time.Parse(time.RFC3339, after); err != nil {
			return fmt.Errorf("-after is like 2027-03-26T00:00:00Z: %w", err)
		}
	}
	for range n {
		if at = schedule.Next(at); at.IsZero() {
			break
		}
		fmt.Println(at.Format("Mon 2006-01-02 15:04:05 MST"))
	}
	return nil
}
