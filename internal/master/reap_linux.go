package master

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// reapPause is how long a dead process may wait for whoever started it.
const reapPause = time.Second

// Reap takes the dead away as the first process of a container has to: processes whose
// parents have died become its children. Whoever waits for a process of his own has
// reapPause to do so. It returns when ctx ends.
func Reap(ctx context.Context) {
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	defer signal.Stop(died)
	seen := make(map[int]bool)
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-died:
			if again != nil {
				continue
			}
		case <-again:
		}
		again = nil
		now := zombies()
		for pid := range now {
			if seen[pid] {
				syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
				delete(now, pid)
			} else {
				again = time.After(reapPause)
			}
		}
		seen = now
	}
}

// zombies are the dead children of this process.
func zombies() map[int]bool {
	list := make(map[int]bool)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		text := string(b)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // behind the name: state, parent
		if len(fields) < 2 || fields[0] != "Z" || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
			list[pid] = true
		}
	}
	return list
}
