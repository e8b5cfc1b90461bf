package preflight

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// filesBeside is what a process opens besides connections: loops, listeners, logs, files that
// it sends.
const filesBeside = 200

// RaiseFiles raises this process's limit of open files as far as it may itself, and returns
// the limits as they are then. Go does the same at its start, but gives its children the old
// limit back, so each process does it anew.
func RaiseFiles() (soft, hard uint64, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, 0, fmt.Errorf("limit of open files: %w", err)
	}
	if limit.Cur >= limit.Max {
		return limit.Cur, limit.Max, nil
	}
	raised := limit
	raised.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); err != nil {
		return limit.Cur, limit.Max, fmt.Errorf("limit of open files: %w", err)
	}
	return raised.Cur, raised.Max, nil
}

// files compares the limit of a process with the connections that it is to have.
func (c *check) files() {
	const subject = "open files"
	_, hard, ok := c.fileLimits()
	if !ok {
		c.found(Advice, subject, "the limit is unknown", "")
		return
	}
	need := uint64(c.Connections + filesBeside)
	if hard >= need {
		c.ok(subject, "%d for each process, for %d connections", hard, c.Connections)
		return
	}
	text := fmt.Sprintf("a process may open %d, and needs %d for %d connections: more are not accepted", hard, need, c.Connections)
	advice := fmt.Sprintf("LimitNOFILE=%d in the unit of systemd, or in /etc/security/limits.conf: * hard nofile %d", rounded(need), rounded(need))
	if open, ok := c.number("proc/sys/fs/nr_open"); ok && open < need {
		advice = fmt.Sprintf("first sysctl fs.nr_open=%d, then %s", rounded(need), advice)
	}
	level := Warning
	if hard <= filesBeside {
		level = Error
	}
	c.found(level, subject, text, advice)
}

// fileLimits reads the limits of this process.
func (c *check) fileLimits() (soft, hard uint64, ok bool) {
	for line := range strings.Lines(c.read("proc/self/limits")) {
		rest, found := strings.CutPrefix(line, "Max open files")
		fields := strings.Fields(rest)
		if !found || len(fields) < 2 {
			continue
		}
		return limitOf(fields[0]), limitOf(fields[1]), true
	}
	return 0, 0, false
}

func limitOf(word string) uint64 {
	n, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		return ^uint64(0) // unlimited
	}
	return n
}

// rounded is the next power of two.
func rounded(n uint64) uint64 {
	r := uint64(1024)
	for r < n {
		r *= 2
	}
	return r
}

// allFiles looks at what all processes of the machine may open together.
func (c *check) allFiles() {
	const subject = "open files in all"
	limit, ok := c.number("proc/sys/fs/file-max")
	if !ok {
		return
	}
	used, _ := c.number("proc/sys/fs/file-nr")
	need := used + uint64(c.Processes)*uint64(c.Connections+filesBeside)
	if limit < need {
		c.found(Warning, subject, fmt.Sprintf("the machine may open %d, has %d open and would need %d", limit, used, need), fmt.Sprintf("sysctl fs.file-max=%d", rounded(need)))
		return
	}
	c.ok(subject, "%d used", used)
}
