package testkit

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// CheckLeaks fails the test if it leaves goroutines or descriptors of the process behind, and
// tells the stacks and the files. What ends soon after the test is waited for. It looks at those
// of the whole process, so no other test may run at the same time. It is to be called first:
// what the test cleans up by functions that it registers later counts as gone.
func CheckLeaks(t testing.TB) {
	t.Helper()
	checkLeaks(t, Patience)
}

func checkLeaks(t testing.TB, patience time.Duration) {
	t.Helper()
	before := takeInventory()
	t.Cleanup(func() {
		t.Helper()
		var left excess // what the last look has found; another would find something else
		Within(patience, func() bool {
			left = before.exceeded()
			return t.Failed() || left.none()
		})
		if !t.Failed() && !left.none() { // another failure says more
			t.Errorf("left behind: %s", left)
		}
	})
}

// OpenFiles is the number of descriptors that the process has open, and 0 on systems that do not
// tell it.
func OpenFiles() int { return len(descriptors()) }

// Stacks are those of all goroutines, with an empty line between them.
func Stacks() string {
	for buf := make([]byte, 64<<10); ; buf = make([]byte, 2*len(buf)) {
		if n := runtime.Stack(buf, true); n < len(buf) {
			return string(buf[:n])
		}
	}
}

// inventory is what the process has at a moment, by what identifies it.
type inventory struct{ goroutines, files map[string]string }

func takeInventory() inventory {
	warmUp()
	return inventory{goroutines(), descriptors()}
}

// exceeded is what the process has now and did not have then, by its identity: a goroutine that
// has ended since makes up for none that has begun.
func (v inventory) exceeded() excess {
	return excess{added(v.goroutines, goroutines()), added(v.files, descriptors())}
}

// excess is what one look at the process has found too many: stacks and names of files.
type excess struct{ stacks, files []string }

func (e excess) none() bool { return len(e.stacks) == 0 && len(e.files) == 0 }

// String tells the numbers, the files and the stacks.
func (e excess) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors\n%s\n\n%s", len(e.stacks), len(e.files), strings.Join(e.files, "\n"), strings.Join(e.stacks, "\n\n"))
}

// added are the values of what is in after and not in before.
func added(before, after map[string]string) (list []string) {
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[key]; !ok {
			list = append(list, after[key])
		}
	}
	return list
}

// ownOfRuntime are the functions of goroutines that the runtime begins when it likes.
var ownOfRuntime = []string{"runtime.runCleanups(", "runtime.runFinalizers(", "runtime.runfinq("}

// goroutines are the stacks of all goroutines by their numbers.
func goroutines() map[string]string {
	list := make(map[string]string)
	for stack := range strings.SplitSeq(Stacks(), "\n\n") {
		number, rest, _ := strings.Cut(stack, " [")
		if _, calls, _ := strings.Cut(rest, "\n"); !slices.ContainsFunc(ownOfRuntime, func(name string) bool { return strings.HasPrefix(calls, name) }) {
			list[number] = stack
		}
	}
	return list
}

// descriptors tells on what each descriptor is open. The one that this is read with is closed
// then, and not among them.
func descriptors() map[string]string {
	const dir = "/proc/self/fd"
	entries, _ := os.ReadDir(dir)
	list := make(map[string]string)
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			text := fmt.Sprintf("descriptor %s: %s", e.Name(), target)
			list[text] = text
		}
	}
	return list
}

// warmUp has package net open what it opens once and for ever.
var warmUp = sync.OnceFunc(func() {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
})
