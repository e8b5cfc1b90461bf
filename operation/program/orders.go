package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/workerman-go/workerman"
)

// before is a command that main runs before it makes workers.
var before string

func init() {
	m := workerman.DefaultMaster()
	flag.StringVar(&m.PidFile, "pid-file", "", "`FILE` of the master's number")
	flag.StringVar(&m.LogFile, "log-file", "", "`FILE` for the log")
	flag.Int64Var(&m.LogMaxSize, "log-size", 0, "`BYTES` at which a new log file begins")
	flag.StringVar(&m.StdoutFile, "stdout", "", "`FILE` for the output of a daemon")
	flag.DurationVar(&m.StopTimeout, "stop-timeout", 0, "how long a stop waits for connections")
	flag.StringVar(&before, "before", "", "`COMMAND` to run before the workers are made")
}

// order does what concerns the process as such: its output, its log and its children. It
// returns the answer.
func order(word, rest string) (answer string, known bool) {
	switch word {
	case "name":
		return os.Args[0], true
	case "run": // a child, whose lines become one
		out, err := exec.Command("sh", "-c", rest).CombinedOutput()
		if err != nil {
			return err.Error(), true
		}
		return strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", " "), true
	case "print":
		fmt.Println(rest)
		return "printed", true
	case "log":
		n, _ := strconv.Atoi(rest)
		for i := range n {
			log.Printf("line %d of process %d", i, os.Getpid())
		}
		return "logged", true
	}
	return "", false
}
