package house

import (
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/workerman-go/workerman"

// anything allows every import.
const anything = "*"

// arrows are the imports that a package may have of the project, without their tests. They point
// downwards: a package stands above all that it may import. The root's name is workerman.
var arrows = []struct{ from, to string }{
	{"filemonitor httpclient crontab session", "workerman web"},
	{"session/redis", "session web workerman session/internal/storetest"},
	{"session/internal/storetest", "session web workerman"},
	{"command", "workerman internal/child"},
	{"internal/testkit/workertest", "workerman web websocket internal/testkit"},
	{"workerman", "web websocket text frame internal/serve internal/handover internal/nethttp internal/watch " +
		"internal/dialer internal/tlsfiles internal/child internal/loop internal/master internal/console internal/admin " +
		"internal/logfile internal/systemd internal/preflight internal/control internal/socket internal/poll " +
		"internal/stack internal/tunnel internal/proxyproto"},
	{"internal/serve", "internal/master internal/console internal/admin internal/logfile internal/systemd " +
		"internal/preflight internal/control internal/socket internal/child"},
	{"internal/admin", "internal/console internal/control internal/socket"},
	{"internal/master", "internal/control internal/socket"},
	{"internal/console", "internal/control"},
	{"internal/handover", "internal/control internal/socket"},
	{"internal/nethttp", "web"},
	{"internal/watch", "internal/loop internal/stack"},
	{"internal/dialer", "internal/loop internal/socket internal/tunnel"},
	{"internal/loop", "internal/poll internal/socket"},
	{"internal/poll internal/preflight internal/systemd", "internal/socket"},
	{"websocket", "web"},
	{"web text frame internal/control internal/socket internal/logfile internal/stack internal/tunnel " +
		"internal/proxyproto internal/tlsfiles internal/child internal/testkit internal/house", ""},
}

// outside are the folders whose programs and tests use the project: examples as a stranger would,
// the others as they need. The first entry that a package lies in counts.
var outside = []struct{ from, to string }{
	{"examples/browser", anything},
	{"examples", "workerman web websocket text frame session crontab httpclient command filemonitor examples"},
	{"bench interop operation integration websocket/interop internal/proxyproto/interop docs", anything},
}

// allowedOf tells what a package may import, and whether the tables know it.
func allowedOf(pkg string) (allowed []string, known bool) {
	for _, arrow := range arrows {
		if slices.Contains(strings.Fields(arrow.from), pkg) {
			return strings.Fields(arrow.to), true
		}
	}
	for _, arrow := range outside {
		for _, from := range strings.Fields(arrow.from) {
			if within(pkg, from) {
				return strings.Fields(arrow.to), true
			}
		}
	}
	return nil, false
}

// within reports whether a package is a folder or lies below it.
func within(pkg, folder string) bool {
	return pkg == folder || strings.HasPrefix(pkg, folder+"/")
}

// permits reports whether one of the packages is the imported one. Below examples every package
// counts as examples.
func permits(allowed []string, imported string) bool {
	return slices.Contains(allowed, anything) || slices.Contains(allowed, imported) ||
		within(imported, "examples") && slices.Contains(allowed, "examples")
}

// broken explains what is wrong with an import, or is empty. A test may import what its package
// may, the package itself, those that lie below it, and the testkit; if the package stands above
// the root, workertest as well. The root's tests import all.
func broken(pkg, imported string, test bool) string {
	allowed, known := allowedOf(pkg)
	switch {
	case !known:
		return "package " + pkg + " stands in no table of arrows"
	case imported == "internal/testkit/workertest":
		if test && (pkg == imported || pkg == "workerman" || permits(allowed, "workerman")) {
			return ""
		}
	case permits(allowed, imported):
		return ""
	case test && (pkg == "workerman" || within(imported, pkg) || imported == "internal/testkit"):
		return ""
	}
	return "the arrow " + pkg + " -> " + imported + " is not in the table"
}

func TestArrowsPointDownwards(t *testing.T) {
	for _, file := range goFiles(t) {
		parsed, err := parser.ParseFile(token.NewFileSet(), root+file.name, file.text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !within(path, module) {
				continue
			}
			imported := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
			if imported == "" {
				imported = "workerman"
			}
			if text := broken(file.pkg(), imported, file.test()); text != "" {
				t.Errorf("%s: %s", file.name, text)
			}
		}
	}
}

// Whoever may import another must not be imported by it, by whatever way: what a table allows in
// sum has to point downwards as well.
func TestTheTableOfArrowsHasNoCircle(t *testing.T) {
	for _, arrow := range arrows {
		for _, pkg := range strings.Fields(arrow.from) {
			if slices.Contains(below(pkg), pkg) {
				t.Errorf("the table allows a circle through %s", pkg)
			}
		}
	}
}

// below lists all packages that one may reach by the arrows of the table.
func below(pkg string) (reached []string) {
	next, _ := allowedOf(pkg)
	for len(next) > 0 {
		one := next[0]
		next = next[1:]
		if !slices.Contains(reached, one) {
			reached = append(reached, one)
			more, _ := allowedOf(one)
			next = append(slices.Clone(next), more...)
		}
	}
	return reached
}

func TestBrokenArrowsAreNamed(t *testing.T) {
	for _, test := range []struct {
		pkg, imported string
		test          bool
		want          string
	}{
		{"workerman", "internal/loop", false, ""},
		{"internal/loop", "workerman", false, "the arrow internal/loop -> workerman is not in the table"},
		{"internal/loop", "workerman", true, "the arrow internal/loop -> workerman is not in the table"},
		{"internal/poll", "internal/loop", false, "the arrow internal/poll -> internal/loop is not in the table"},
		{"web", "websocket", false, "the arrow web -> websocket is not in the table"},
		{"web", "web", true, ""},
		{"session", "session/internal/storetest", true, ""},
		{"session", "session/internal/storetest", false, "the arrow session -> session/internal/storetest is not in the table"},
		{"internal/dialer", "internal/testkit", true, ""},
		{"workerman", "internal/testkit", false, "the arrow workerman -> internal/testkit is not in the table"},
		{"command", "internal/testkit/workertest", true, ""},
		{"integration/web", "internal/testkit/workertest", true, ""},
		{"integration/web", "internal/testkit/workertest", false, "the arrow integration/web -> internal/testkit/workertest is not in the table"},
		{"internal/dialer", "internal/testkit/workertest", true, "the arrow internal/dialer -> internal/testkit/workertest is not in the table"},
		{"examples/chat", "internal/loop", false, "the arrow examples/chat -> internal/loop is not in the table"},
		{"examples", "examples/internal/selfsigned", true, ""},
		{"interop", "internal/socket", true, ""},
		{"internal/fresh", "web", false, "package internal/fresh stands in no table of arrows"},
	} {
		if got := broken(test.pkg, test.imported, test.test); got != test.want {
			t.Errorf("%s imports %s: got %q, want %q", test.pkg, test.imported, got, test.want)
		}
	}
}
