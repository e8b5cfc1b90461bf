// Program is what the tests of this folder run: a service that does what its clients tell
// it, good and bad.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// version is set by the linker: tests build several.
var version = "1"

// trouble is what this version does instead of serving: "panic", "hang", "exit", "silent",
// "start" for an error of OnWorkerStart, "stall" if that never returns.
var trouble string

func main() {
	listen := flag.String("listen", "text://127.0.0.1:0", "`SCHEME://ADDR` to serve on")
	site := flag.String("web", "", "`http://ADDR` with a WebSocket at /ws; empty for none")
	count := flag.Int("count", 1, "`number` of processes")
	reloadable := flag.Bool("reloadable", true, "take part in reloads")
	requests := flag.Uint64("recycle", 0, "replace a process after this `number` of messages")
	reusePort := flag.Bool("reuseport", false, "a socket for each process")
	loops := flag.Int("loops", 1, "`number` of event loops of a process")
	inside := flag.String("inside", "", "`SCHEME://ADDR` to serve in the same processes")
	user := flag.String("user", "", "`NAME` to run as")
	inner := flag.String("inner", "", "`SCHEME://ADDR` that each process listens on by itself")
	adopt := flag.Bool("adopt", false, "move connections although something is to be remembered")
	flag.StringVar(&workerman.DefaultMaster().Admin, "admin", "", "`ADDR` of the admin pages; empty for none")
	flag.DurationVar(&workerman.DefaultMaster().StartTimeout, "start-timeout", 0, "how long a process may take until it serves")
	flag.DurationVar(&workerman.DefaultMaster().DrainTimeout, "drain", time.Second, "how long a replaced process goes on")
	parse()
	if before != "" {
		if err := exec.Command("sh", "-c", before).Run(); err != nil {
			log.Fatal(err)
		}
	}
	switch trouble {
	case "panic":
		panic("version " + version + " is broken")
	case "hang":
		time.Sleep(time.Hour)
	case "exit":
		log.Fatal("version " + version + " does not like this machine")
	case "silent":
		return
	}
	w := workerman.NewWorker(*listen)
	w.Name, w.Count, w.Reloadable, w.User = "orders", *count, *reloadable, *user
	w.Recycle.Requests, w.ReusePort, w.Loops = *requests, *reusePort, *loops
	w.OnWorkerStart = func(w *workerman.Worker) error {
		if trouble == "start" {
			return errors.New("version " + version + " finds no database")
		}
		if trouble == "stall" {
			time.Sleep(time.Hour)
		}
		if *inner != "" {
			in := workerman.NewWorker(*inner)
			in.Name, in.OnMessage = "inner", obey
			return in.Listen()
		}
		return nil
	}
	w.OnWorkerReload = func(w *workerman.Worker) { log.Printf("OnWorkerReload in version %s", version) }
	w.OnWorkerStop = func(w *workerman.Worker) { log.Printf("OnWorkerStop in version %s", version) }
	w.OnMessage = obey
	if *adopt {
		w.OnConnect = func(c *workerman.Conn) { c.Data = 0 }
		w.OnHandover = func(c *workerman.Conn) ([]byte, error) { return fmt.Append(nil, c.Data), nil }
		w.OnAdopt = func(c *workerman.Conn, data []byte) {
			n := 0
			fmt.Sscan(string(data), &n)
			c.Data = n
		}
	}
	if *site != "" {
		h := workerman.NewWorker(*site)
		h.Name, h.Count, h.Recycle.Requests = "web", *count, *requests
		h.ReusePort, h.Loops = *reusePort, *loops
		h.OnRequest = func(c *workerman.Conn, r *web.Request) {
			if r.Path() == "/ws" {
				c.Upgrade(r)
				return
			}
			c.Respond(web.Text(version))
		}
		h.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
	}
	if *inside != "" {
		i := workerman.NewWorker(*inside)
		i.Name, i.Inside, i.OnMessage = "guest", w, obey
	}
	workerman.DefaultMaster().OnWorkerExit = func(e workerman.WorkerExit) {
		log.Printf("OnWorkerExit worker=%s id=%d cause=%q", e.Worker, e.ID, e.Cause)
	}
	workerman.RunAll()
	log.Printf("behind RunAll as %v", os.Args[1:])
}

// parse parses the flags of a file beside the program, which stand for defaults that differ
// between versions, and then those of the command line.
func parse() {
	program, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	if b, err := os.ReadFile(program + ".flags"); err == nil {
		flag.CommandLine.Parse(strings.Fields(string(b)))
	}
	flag.Parse()
}

// obey answers a message, or does what it says.
func obey(c *workerman.Conn, data []byte) {
	word, rest, _ := strings.Cut(string(data), " ")
	switch word {
	case "pid":
		c.Send(fmt.Append(nil, os.Getpid()))
	case "id":
		c.Send(fmt.Append(nil, c.Worker().ID()))
	case "conn":
		c.Send(fmt.Append(nil, c.ID()))
	case "user":
		c.Send(fmt.Append(nil, os.Geteuid()))
	case "version":
		c.Send([]byte(version))
	case "args":
		c.Send([]byte(strings.Join(os.Args[1:], " ")))
	case "count": // how many times this connection has asked, kept in Data
		n, _ := c.Data.(int)
		c.Data = n + 1
		c.Send(fmt.Append(nil, n+1))
	case "panic":
		go func() { panic(rest) }()
	case "child": // which descriptors a child of this process has, and what of our environment
		out, err := exec.Command("sh", "-c", `ls /proc/$$/fd; env | grep ^WORKERMAN; true`).Output()
		c.Send(fmt.Appendf(nil, "%q %v", out, err))
	case "exit":
		os.Exit(3)
	case "stop":
		workerman.StopAll()
	case "loop":
		for {
			spins.Add(1)
		}
	case "sleep":
		time.Sleep(time.Hour)
	default:
		if answer, ok := order(word, rest); ok {
			data = []byte(answer)
		}
		c.Send(data)
	}
}

// spins keeps the compiler from dropping an endless loop.
var spins atomic.Int64
