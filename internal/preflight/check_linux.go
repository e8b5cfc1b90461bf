package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/workerman-go/workerman/internal/socket"
)

// DefaultConnections is what a process is expected to serve if nobody says.
const DefaultConnections = 10000

// Options say what the service will need.
type Options struct {
	Connections int // that a process has at a time; default DefaultConnections
	Processes   int // that all workers have together; default 1
	Listen      []Listener
	Program     string   // path of the executable
	PidFile     string   // "" is not looked at
	LogFile     string   // "" is not looked at
	Users       []string // whom the workers run as: NAME, NAME:GROUP or "" for that of the master
	Running     bool     // the service runs, so its ports are taken by itself
	// Root is the folder that stands for / where /proc, /sys and /etc are read. Default /.
	Root string
}

// Listener is an address that a worker will listen on.
type Listener struct {
	Worker  string
	Address socket.Address
}

// check is a run of Check.
type check struct {
	Options
	list []Finding
}

// Check answers all questions, those without trouble too. It binds the ports for a moment.
func Check(o Options) []Finding {
	if o.Connections <= 0 {
		o.Connections = DefaultConnections
	}
	if o.Processes <= 0 {
		o.Processes = 1
	}
	if o.Root == "" {
		o.Root = "/"
	}
	c := &check{Options: o}
	c.kernel()
	c.files()
	c.allFiles()
	c.backlog()
	c.portRange()
	c.conntrack()
	c.memory()
	c.processors()
	c.timeZone()
	c.folders()
	c.space()
	c.users()
	c.ports()
	return c.list
}

func (c *check) ok(subject, format string, args ...any) {
	c.list = append(c.list, Finding{OK, subject, fmt.Sprintf(format, args...), ""})
}

func (c *check) found(level Level, subject, text, advice string) {
	c.list = append(c.list, Finding{level, subject, text, advice})
}

// read returns a file below Root without spaces around, "" if it is not there.
func (c *check) read(path string) string {
	b, err := os.ReadFile(filepath.Join(c.Root, path))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// numbers returns the numbers of a file, nil unless it holds nothing else. What is larger
// than 64 bits is the largest of them.
func (c *check) numbers(path string) (list []uint64) {
	for _, word := range strings.Fields(c.read(path)) {
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil && n == 0 {
			return nil
		}
		list = append(list, n)
	}
	return list
}

// number is the first of the numbers, false if there is none.
func (c *check) number(path string) (uint64, bool) {
	list := c.numbers(path)
	if len(list) == 0 {
		return 0, false
	}
	return list[0], true
}

// kernel wants what the engine of event loops makes use of.
func (c *check) kernel() {
	const subject = "kernel"
	release := c.read("proc/sys/kernel/osrelease")
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n != 2 {
		c.found(Advice, subject, "its version is unknown: "+strconv.Quote(release), "4.5 or later is needed to spread connections")
		return
	}
	if major < 4 || major == 4 && minor < 5 {
		c.found(Warning, subject, release+" has no EPOLLEXCLUSIVE: all processes of a worker wake up for each connection", "use a kernel from 4.5 on")
		return
	}
	c.ok(subject, "%s", release)
}

// timeZone is for the times of the log and of cron jobs.
func (c *check) timeZone() {
	const subject = "time zone"
	if name, set := os.LookupEnv("TZ"); set {
		if _, err := time.LoadLocation(strings.TrimPrefix(name, ":")); err != nil && !filepath.IsAbs(strings.TrimPrefix(name, ":")) {
			c.found(Warning, subject, fmt.Sprintf("TZ is %q, which this machine does not know: times are UTC", name), "install tzdata, or import time/tzdata in the program")
			return
		}
		c.ok(subject, "%s", time.Now().Location())
		return
	}
	if _, err := os.Stat(filepath.Join(c.Root, "etc/localtime")); err != nil {
		c.found(Advice, subject, "not set: times of the log and of jobs are UTC", "set TZ or /etc/localtime if you want others")
		return
	}
	c.ok(subject, "%s", time.Now().Format("MST -0700"))
}
