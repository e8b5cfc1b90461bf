package console

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

// completions are cases for every shell: the words before the cursor and what fits there.
var completions = map[string][]string{
	"chat|":                             {"start", "stop", "restart", "reload", "status", "connections", "stack", "logs", "check", "systemd", "completion", "help"},
	"chat|st":                           {"start", "stop", "status", "stack"},
	"chat|connections|--st":             {"--state"},
	"chat|connections|--state|":         {"established", "handshake", "closing", "paused"},
	"chat|connections|--json|--state|p": {"paused"},
	"chat|connections|--worker|a|-d|--idle|1s|": nil, // checked for options below
	"chat|restart|-":                   {"-d", "-g"},
	"chat|completion|":                 {"bash", "zsh"},
	"chat|help|rel":                    {"reload"},
	"chat|systemd|--user|roo":          {"root"},
	"chat|connections|--state|nothing": {},
	"chat|nonsense|":                   {},
}

func scriptFor(t *testing.T, shell string) string {
	t.Helper()
	var b strings.Builder
	if err := Completion(&b, shell, "/srv/chat"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func shellPath(t *testing.T, shell string) string {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		t.Skipf("%s is not installed", shell)
	}
	return path
}

func TestBashCompletion(t *testing.T) {
	bash, script := shellPath(t, "bash"), scriptFor(t, "bash")
	for line, want := range completions {
		words := strings.Split(line, "|")
		run := exec.Command(bash, append([]string{"--norc", "-c", bashDriver, "bash", script}, words...)...)
		out, err := run.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		got := strings.Fields(string(out))
		if want == nil {
			want = optionsOf("connections")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func optionsOf(name string) (names []string) {
	for _, o := range commandNamed(name).options {
		names = append(names, o.name)
	}
	return names
}

// bashDriver completes the words that it gets as bash would after a tabulator.
const bashDriver = `
source "$1" || exit
shift
[[ $(complete -p chat) == *"-F _chat"* ]] || { echo "not registered"; exit 1; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_chat
printf '%s\n' "${COMPREPLY[@]}"`

// In zsh completion works only while a line is edited: the driver lets one edit on a
// pseudo-terminal.
func TestZshCompletion(t *testing.T) {
	zsh, script := shellPath(t, "zsh"), scriptFor(t, "zsh")
	setup := filepath.Join(t.TempDir(), "setup")
	if err := os.WriteFile(setup, []byte(zshSetup), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	lines := slices.Sorted(maps.Keys(completions))
	typed := strings.Split(strings.ReplaceAll(strings.Join(lines, "\n"), "|", " "), "\n")
	for i, line := range lines {
		if completions[line] == nil {
			typed[i] += "-" // options are offered after a dash
		}
	}
	run := exec.CommandContext(ctx, zsh, append([]string{"-f", "-c", zshDriver, "zsh", setup, script}, typed...)...)
	run.Dir = t.TempDir() // no files to offer
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(lines) {
		t.Fatalf("%d answers to %d questions:\n%s", len(answers), len(lines), out)
	}
	for i, line := range lines {
		want := slices.Clone(completions[line])
		if want == nil { // without those that are given already
			want = slices.DeleteFunc(optionsOf("connections"), func(o string) bool { return o == "--worker" || o == "-d" || o == "--idle" })
		}
		got := strings.Fields(answers[i])
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// zshDriver prints a line of matches for each line that it gets after setup and script.
const zshDriver = `
zmodload zsh/zpty || exit
setup=$1 script=$2
shift 2
zpty edited "zsh -f -i"
zpty -w edited "source ${(q)setup} ${(q)script}"
zpty -r edited text '*SETUP DONE*' || { print -r "no setup: $text"; exit 1 }
for line; do
	zpty -n -w edited $'\x15'"$line"$'\x14'
	zpty -r edited text '*{*}*' || exit
	print -r -- ${${text##*\{}%%\}*}
done
zpty -w edited exit
zpty -r edited text`

// zshSetup binds Ctrl+T to print in braces what can complete the line.
const zshSetup = `
PROMPT= TERM=dumb COLUMNS=1000
autoload -Uz compinit
compinit -u -D
source $1
chat() { }
compadd() {
	local -a words
	if (( ${@[(I)-[OAD]]} )); then
		builtin compadd "$@"
		return
	fi
	builtin compadd -A words "$@"
	matches+=($words)
	builtin compadd "$@"
}
capture() {
	typeset -ga matches=()
	_main_complete
	print -r -- "{$matches}"
	compstate[insert]= compstate[list]=
}
zle -C capture list-choices capture
bindkey '^T' capture
print SETUP" DONE"
`
