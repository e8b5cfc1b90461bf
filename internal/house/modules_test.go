package house

import (
	"encoding/json"
	"os/exec"
	"slices"
	"testing"
)

// requirements are the modules that the library needs, directly or by others. A program that uses
// the library gets all of them, so another one needs a reason in docs/dependencies.md.
var requirements = []string{
	"github.com/klauspost/compress",
	"golang.org/x/crypto",
	"golang.org/x/sys",
}

func TestTheLibraryNeedsLittle(t *testing.T) {
	command := exec.Command("go", "mod", "edit", "-json")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Require []struct{ Path string }
		Replace []any
	}
	if err := json.Unmarshal(out, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Require) == 0 {
		t.Errorf("got no requirements in %s", out)
	}
	for _, r := range file.Require {
		if !slices.Contains(requirements, r.Path) {
			t.Errorf("got %s in go.mod, want %q alone", r.Path, requirements)
		}
	}
	if len(file.Replace) > 0 {
		t.Errorf("got %v replaced in go.mod: who imports the library would not see that", file.Replace)
	}
}
