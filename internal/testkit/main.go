package testkit

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Module is the path that the functions of the project begin with.
const Module = "github.com/workerman-go/workerman"

// Main runs the tests of a package, to be called by its TestMain, and returns the exit code. It
// removes the programs that Build has built.
func Main(m *testing.M) int {
	defer removeBuilds()
	return m.Run()
}

// MainWithoutLeaks is Main for a package whose tests, all together, may leave no goroutine of the
// project and no descriptor behind. Unlike CheckLeaks it may be used where tests are parallel.
func MainWithoutLeaks(m *testing.M) int {
	warmUp()
	before := descriptors()
	code := Main(m)
	fuzz := flag.Lookup("test.fuzz")
	if code != 0 || fuzz != nil && fuzz.Value.String() != "" {
		return code
	}
	var stacks, files []string
	if Within(Patience, func() bool {
		stacks, files = ownGoroutines(), added(before, descriptors())
		return len(stacks) == 0 && OpenFiles() <= len(before)
	}) {
		return 0
	}
	fmt.Fprintf(os.Stderr, "FAIL: left behind: %d goroutines, %d descriptors\n%s\n\n%s\n", len(stacks), len(files), strings.Join(files, "\n"), strings.Join(stacks, "\n\n"))
	return 1
}

// ownGoroutines are the stacks of those that run code of the project, but for the one that runs
// the tests.
func ownGoroutines() (stacks []string) {
	for _, stack := range goroutines() {
		if strings.Contains(stack, Module) && !strings.Contains(stack, "testing.(*M).") && !strings.Contains(stack, ".TestMain(") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
