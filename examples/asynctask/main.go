// Asynctask gives slow work to processes that do nothing else, so that those which talk to
// clients always have time. A front worker takes requests; each is a job, which it sends
// over a connection of its own to the workers of the other kind.
//
//	go run ./examples/asynctask
//	curl 'http://127.0.0.1:2360/primes?below=5000000'
//
// The system spreads the connections over the processes of the task worker, and a process
// does several jobs at a time, because the worker is Blocking: each connection has a
// goroutine. Jobs and answers are lines of JSON, so that the task workers may as well be on
// other machines, behind a load balancer, or written in another language: say so with
// -tasks, and run them with -front none.
//
//	echo '{"job":"primes","below":100}' | nc -q 1 127.0.0.1 12345
//
// Within one process workerman.Async does the same without a connection: take it when the
// work waits for something, as a database. Take processes when it computes, may crash or
// eats memory.
package main

import (
	"encoding/json"
	"flag"
	"strconv"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// job is a line to a task worker.
type job struct {
	Job   string `json:"job"`
	Below int    `json:"below"`
}

// result is a line back.
type result struct {
	Count int    `json:"count"`
	Error string `json:"error,omitempty"`
}

func main() {
	front := flag.String("front", "http://127.0.0.1:2360", "`http://ADDR` for clients, or none")
	tasks := flag.String("tasks", "text://127.0.0.1:12345", "`text://ADDR` where task workers are")
	count := flag.Int("count", 4, "`number` of task processes; 0 if they run elsewhere")
	patience := flag.Duration("patience", 10*time.Second, "longest time for a job, as `duration`")
	flag.Parse()

	if *count > 0 {
		w := workerman.NewWorker(*tasks)
		w.Name, w.Count, w.Blocking = "tasks", *count, true
		w.OnMessage = workerman.JSON(func(c *workerman.Conn, j job) {
			line, _ := json.Marshal(do(j))
			c.Send(line)
		})
	}
	if *front != "none" {
		w := workerman.NewWorker(*front)
		w.Name = "front"
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			below, err := strconv.Atoi(r.Query("below"))
			if r.Path() != "/primes" || err != nil {
				c.Respond(web.Status(404))
				return
			}
			ask(c, *tasks, job{"primes", below}, *patience)
		}
	}
	workerman.RunAll()
}

// ask sends a job away and answers the request when the result is there.
func ask(c *workerman.Conn, tasks string, j job, patience time.Duration) {
	request := c.Responder()
	task := c.NewClient(tasks)
	var late *workerman.Timer
	end := func(answer *web.Response) {
		late.Stop()
		task.Close()
		request.Respond(answer)
	}
	late = c.EventLoop().After(patience, func() { end(web.Status(504)) })
	task.OnMessage = workerman.JSON(func(_ *workerman.Conn, r result) {
		answer := web.JSON(r)
		if r.Error != "" {
			answer.Status = 422
		}
		end(answer)
	})
	task.OnError = func(_ *workerman.Conn, err error) { end(web.Status(503)) } // nobody is there
	task.OnClose = func(*workerman.Conn) { end(web.Status(502)) }              // a process has crashed
	line, _ := json.Marshal(j)
	task.Send(line)
	if task.Connect() != nil {
		end(web.Status(500))
	}
}
