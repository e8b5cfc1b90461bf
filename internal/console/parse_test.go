package console

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
)

func TestParse(t *testing.T) {
	list := func(c Command) Command { // of connections, with what is left out
		c.Name = "connections"
		if c.Limit == 0 {
			c.Limit, c.Filter.Limit = 10000, 10001
		}
		return c
	}
	for _, c := range []struct {
		line string
		want Command
		rest string
	}{
		{"", Command{}, ""},
		{"-listen :80 start", Command{}, "-listen :80 start"},
		{"-- start", Command{}, "-- start"},
		{"--help", Command{}, "--help"},
		{"start", Command{Name: "start"}, ""},
		{"start -d", Command{Name: "start", Daemon: true}, ""},
		{"start --d -listen :80 -d", Command{Name: "start", Daemon: true}, "-listen :80 -d"},
		{"start -d=false", Command{Name: "start"}, ""},
		{"start file -d", Command{Name: "start"}, "file -d"},
		{"start -d -- -d", Command{Name: "start", Daemon: true}, "-d"},
		{"start ---d", Command{Name: "start"}, "---d"},
		{"start -", Command{Name: "start"}, "-"},
		{"stop -g", Command{Name: "stop", Graceful: true}, ""},
		{"restart -g -d", Command{Name: "restart", Graceful: true, Daemon: true}, ""},
		{"restart -d -g -config x", Command{Name: "restart", Graceful: true, Daemon: true}, "-config x"},
		{"reload -g", Command{Name: "reload", Graceful: true}, ""},
		{"reload -d", Command{Name: "reload"}, "-d"},
		{"status -d", Command{Name: "status", Live: true}, ""},
		{"status -json", Command{Name: "status", JSON: true}, ""},
		{"connections", list(Command{}), ""},
		{"connections -d --limit 10", list(Command{Live: true, Limit: 10, Filter: control.Filter{Limit: 11}}), ""},
		{"connections --json --limit=10", list(Command{JSON: true, Limit: 10, Filter: control.Filter{Limit: 11}}), ""},
		{"connections --limit 0", Command{Name: "connections"}, ""},
		{"connections --worker a=b -pid=7 --peer 10.0. --state closing --idle 1m30s --queued 512 -x",
			list(Command{Filter: control.Filter{Worker: "a=b", PID: 7, Peer: "10.0.", State: "closing", Idle: 90000, Queued: 512, Limit: 10001}, Limit: 10000}), "-x"},
		{"connections --peer -1", list(Command{Filter: control.Filter{Peer: "-1", Limit: 10001}, Limit: 10000}), ""},
		{"connections --worker= -d", list(Command{Live: true}), ""},
		{"stack", Command{Name: "stack"}, ""},
		{"stack chat", Command{Name: "stack", Target: "chat"}, ""},
		{"stack 4711 more", Command{Name: "stack", Target: "4711"}, "more"},
		{"stack -- chat", Command{Name: "stack"}, "chat"},
		{"logs", Command{Name: "logs"}, ""},
		{"logs -f -n 100", Command{Name: "logs", Follow: true, Lines: 100}, ""},
		{"check --json", Command{Name: "check", JSON: true}, ""},
		{"systemd --user www", Command{Name: "systemd", User: "www"}, ""},
		{"completion zsh", Command{Name: "completion", Target: "zsh"}, ""},
		{"help", Command{Name: "help"}, ""},
		{"reload --help", Command{Name: "help", Target: "reload"}, ""},
		{"status -d -h", Command{Name: "help", Target: "status", Live: true}, ""},
		{"start -d -listen -h", Command{Name: "start", Daemon: true}, "-listen -h"},
		{"start -h localhost", Command{Name: "start"}, "-h localhost"}, // a flag of the program
		{"help reload", Command{Name: "help", Target: "reload"}, ""},
	} {
		if c.want.Name != "" && c.want.Lines == 0 {
			c.want.Lines = 10
		}
		if c.want.Name != "" && c.want.Name != "connections" {
			c.want.Limit, c.want.Filter.Limit = 10000, 10001
		}
		got, rest, err := Parse(append([]string{"./chat"}, strings.Fields(c.line)...))
		if err != nil || !reflect.DeepEqual(got, c.want) || strings.Join(rest, " ") != c.rest {
			t.Errorf("%q:\n%+v, rest %q, %v\nwant\n%+v, rest %q", c.line, got, rest, err, c.want, c.rest)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for line, want := range map[string]string{
		"staus":                      `unknown command "staus": did you mean "status"? "chat help" lists the commands`,
		"relaod":                     `unknown command "relaod": did you mean "reload"? "chat help" lists the commands`,
		"stp -g":                     `unknown command "stp": did you mean "stop"? "chat help" lists the commands`,
		"conections":                 `unknown command "conections": did you mean "connections"? "chat help" lists the commands`,
		"serve":                      `unknown command "serve": "chat help" lists the commands`,
		"Start":                      `unknown command "Start": did you mean "start"? "chat help" lists the commands`,
		"x":                          `unknown command "x": "chat help" lists the commands`,
		"start -d=maybe":             `start: -d needs true or false, not "maybe"`,
		"connections --limit":        `connections: --limit needs a value: N`,
		"connections --limit many":   `connections: --limit needs a number, not "many"`,
		"connections --limit -1":     `connections: --limit needs a number, not "-1"`,
		"connections --queued 9e99":  `connections: --queued needs a number, not "9e99"`,
		"connections --idle 5":       `connections: --idle needs a duration, as 90s or 5m, not "5"`,
		"connections --idle -5s":     `connections: --idle needs a duration, as 90s or 5m, not "-5s"`,
		"connections --pid=":         `connections: --pid needs a number, not ""`,
		"connections -d --json":      `connections: -d and --json exclude each other`,
		"logs -n 99999999999":        `logs: -n needs a number, not "99999999999"`,
		"completion":                 `completion: needs bash|zsh`,
		"completion fish":            `completion: does not know "fish"`,
		"completion zhs":             `completion: does not know "zhs": did you mean "zsh"?`,
		"help stats":                 `help: does not know "stats": did you mean "status"?`,
		strings.Repeat("start", 100): `unknown command "` + strings.Repeat("start", 100) + `": "chat help" lists the commands`,
	} {
		if _, _, err := Parse(append([]string{"/srv/chat"}, strings.Fields(line)...)); err == nil || err.Error() != want {
			t.Errorf("%q:\n%v\nwant\n%s", line, err, want)
		}
	}
	if _, _, err := Parse([]string{"chat", ""}); err == nil {
		t.Error("an empty word is no command")
	}
	if c, rest, err := Parse(nil); c.Name != "" || rest != nil || err != nil {
		t.Error(c, rest, err)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		n    int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"stop", "stop", 0}, {"stpo", "stop", 1}, {"start", "stat", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}} {
		if n := distance(c.a, c.b); n != c.n {
			t.Errorf("from %q to %q it is %d, not %d", c.a, c.b, n, c.n)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("start -d -- x")
	f.Add("connections --limit=3 --idle 5s -json")
	f.Add("stack 1 2")
	f.Fuzz(func(t *testing.T, line string) {
		args := append([]string{"chat"}, strings.Split(line, " ")...)
		before := slices.Clone(args)
		c, rest, err := Parse(args)
		if !slices.Equal(args, before) {
			t.Errorf("the arguments became %q", args)
		}
		if err != nil {
			if rest != nil {
				t.Errorf("%q: %q is left of an error", line, rest)
			}
			return
		}
		if !slices.Equal(rest, args[len(args)-len(rest):]) {
			t.Errorf("%q: the rest %q is not its end", line, rest)
		}
		if c.Name != "" && (c.Name != args[1] || commandNamed(c.Name) == nil) {
			t.Errorf("%q is the command %q", line, c.Name)
		}
		if c.Limit < 0 || c.Lines < 0 || c.Filter.Limit < 0 || c.Filter.Idle < 0 || c.Filter.Queued < 0 || c.Live && c.JSON {
			t.Errorf("%q: %+v", line, c)
		}
	})
}
