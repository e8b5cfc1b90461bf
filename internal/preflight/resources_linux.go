package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// What a service needs at least, in bytes: of a process by itself, and of a connection with
// the kernel's part and a little data.
const (
	memoryOfProcess    = 24 << 20
	memoryOfConnection = 8 << 10
)

// memory compares the machine's, or that of the control group, with what connections need.
func (c *check) memory() {
	const subject = "memory"
	limit, what := c.memTotal(), "the machine has"
	group, limited := c.cgroupMemory()
	if limited && (limit == 0 || group < limit) {
		limit, what = group, "the control group has"
	}
	if limit == 0 {
		return
	}
	need := uint64(c.Processes) * (memoryOfProcess + uint64(c.Connections)*memoryOfConnection)
	if limit < need {
		c.found(Warning, subject, fmt.Sprintf("%s %s, and %d processes with %d connections each need about %s: then one of them is killed",
			what, size(limit), c.Processes, c.Connections, size(need)), "more memory, or a limit by MaxConnections")
		return
	}
	if limited && os.Getenv("GOMEMLIMIT") == "" {
		each := group / 10 * 9 / uint64(c.Processes)
		c.found(Advice, subject, fmt.Sprintf("%s %s, of which Go knows nothing: garbage may grow until a process is killed", what, size(group)),
			fmt.Sprintf("GOMEMLIMIT=%dMiB in the environment, which holds for each process", each>>20))
		return
	}
	c.ok(subject, "%s %s", what, size(limit))
}

func (c *check) memTotal() uint64 {
	for line := range strings.Lines(c.read("proc/meminfo")) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kb, _ := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// cgroupMemory is the lowest limit of the control group and those above it.
func (c *check) cgroupMemory() (limit uint64, limited bool) {
	limit = 1 << 60 // version 1 writes nearly 1<<63 for none
	c.cgroup("memory", func(v2 bool, dir string) {
		file := "memory.max"
		if !v2 {
			file = "memory.limit_in_bytes"
		}
		if n, ok := c.number(filepath.Join(dir, file)); ok && n > 0 && n < limit {
			limit, limited = n, true
		}
	})
	return limit, limited
}

// cgroup visits the folders of this process's control group for a controller, up to the root.
func (c *check) cgroup(controller string, visit func(v2 bool, dir string)) {
	for line := range strings.Lines(c.read("proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		v2 := parts[0] == "0" && parts[1] == ""
		root := "sys/fs/cgroup"
		if !v2 {
			if !strings.Contains(","+parts[1]+",", ","+controller+",") {
				continue
			}
			root = filepath.Join(root, parts[1])
			if _, err := os.Stat(filepath.Join(c.Root, root)); err != nil {
				root = filepath.Join("sys/fs/cgroup", controller)
			}
		}
		for dir := filepath.Clean("/" + parts[2]); ; dir = filepath.Dir(dir) {
			visit(v2, filepath.Join(root, dir))
			if dir == "/" {
				break
			}
		}
	}
}

// processors compares processes with the processors that they get.
func (c *check) processors() {
	const subject = "processors"
	cpus, what := float64(runtime.NumCPU()), "the machine has"
	c.cgroup("cpu", func(v2 bool, dir string) {
		if n, ok := c.quota(v2, dir); ok && n < cpus {
			cpus, what = n, "the control group has the time of"
		}
	})
	text := fmt.Sprintf("%s %s", what, strconv.FormatFloat(cpus, 'f', -1, 64))
	if float64(c.Processes) > 2*max(cpus, 1) {
		c.found(Advice, subject, fmt.Sprintf("%s, and %d processes compete for that", text, c.Processes), "a lower Count of the workers, unless their callbacks wait a lot")
		return
	}
	c.ok(subject, "%s", text)
}

// quota is the processors that a control group may use, from quota and period.
func (c *check) quota(v2 bool, dir string) (cpus float64, ok bool) {
	var quota, period float64
	if v2 {
		fields := strings.Fields(c.read(filepath.Join(dir, "cpu.max")))
		if len(fields) != 2 {
			return 0, false
		}
		quota, _ = strconv.ParseFloat(fields[0], 64) // "max" is 0
		period, _ = strconv.ParseFloat(fields[1], 64)
	} else {
		quota, _ = strconv.ParseFloat(c.read(filepath.Join(dir, "cpu.cfs_quota_us")), 64)
		period, _ = strconv.ParseFloat(c.read(filepath.Join(dir, "cpu.cfs_period_us")), 64)
	}
	if quota <= 0 || period <= 0 {
		return 0, false
	}
	return quota / period, true
}

// space looks at the disk of the log.
func (c *check) space() {
	if c.LogFile == "" {
		return
	}
	dir := existing(filepath.Dir(c.LogFile))
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Blocks == 0 {
		return // a folder that is missing is told of elsewhere
	}
	free := st.Bavail * uint64(st.Bsize)
	f := spaceFinding(dir, free, st.Files, st.Ffree)
	c.list = append(c.list, f)
}

// spaceFinding judges free bytes and, where the file system counts them, files.
func spaceFinding(dir string, free, files, freeFiles uint64) Finding {
	f := Finding{OK, "disk", fmt.Sprintf("%s free in %s", size(free), dir), ""}
	switch {
	case free < 10<<20:
		f.Level, f.Advice = Error, "make room: lines of the log will be lost"
	case free < 200<<20:
		f.Level, f.Advice = Warning, "make room: the log and its five old files may take 60 MiB, uploads more"
	case files > 0 && freeFiles < 100:
		f.Level, f.Text, f.Advice = Warning, fmt.Sprintf("only %d more files can be created in %s", freeFiles, dir), "remove some"
	}
	return f
}

// existing is the nearest folder above a path that exists, with the path itself.
func existing(dir string) string {
	for {
		_, err := os.Stat(dir)
		up := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || up == dir {
			return dir
		}
		dir = up
	}
}

// size is a number of bytes for people.
func size(n uint64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
