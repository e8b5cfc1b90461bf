package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// CoverVariable is the environment variable with the packages whose coverage the programs under
// test write down, separated by commas, into the folder that GOCOVERDIR names.
const CoverVariable = "COVER_PACKAGES"

// builds are the folders with what was built, by the arguments of the build.
var builds struct {
	sync.Mutex
	dir   string
	ready map[string]string
}

// Build builds programs, once for the same arguments, and returns the folder with them, which
// Main removes. The arguments are flags of go build and packages, relative to the folder of the
// test. What is built looks for races as the test does, and writes down its coverage if
// CoverVariable is set.
func Build(t testing.TB, args ...string) (dir string) {
	t.Helper()
	return BuildIn(t, ".", args...)
}

// BuildIn is Build of packages that are relative to another folder, which may be one of another
// module.
func BuildIn(t testing.TB, folder string, args ...string) (dir string) {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	key := folder + "\x00" + strings.Join(args, "\x00")
	if dir := builds.ready[key]; dir != "" {
		return dir
	}
	if builds.dir == "" {
		var err error
		if builds.dir, err = os.MkdirTemp("", "built"); err != nil {
			t.Fatal(err)
		}
		builds.ready = make(map[string]string)
	}
	dir = filepath.Join(builds.dir, strconv.Itoa(len(builds.ready)))
	command := []string{"build", "-o", dir + string(filepath.Separator)}
	if Race {
		command = append(command, "-race")
	}
	if packages := os.Getenv(CoverVariable); packages != "" {
		command = append(command, "-cover", "-coverpkg="+packages)
	}
	cmd := exec.Command("go", slices.Concat(command, args)...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %q: %v\n%s", args, err, out)
	}
	builds.ready[key] = dir
	return dir
}

func removeBuilds() {
	builds.Lock()
	defer builds.Unlock()
	os.RemoveAll(builds.dir)
	builds.dir, builds.ready = "", nil
}
