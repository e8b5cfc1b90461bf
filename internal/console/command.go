package console

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// Exit codes of commands.
const (
	ExitDone       = 0
	ExitFailed     = 1
	ExitUsage      = 2
	ExitNotRunning = 3
)

// Command is a command as it was given, with its options.
type Command struct {
	Name     string // "" if none was given
	Daemon   bool   // start, restart -d
	Graceful bool   // stop, restart, reload -g
	Live     bool   // status, connections -d
	JSON     bool   // status, connections, check --json
	Follow   bool   // logs -f
	Lines    int    // logs -n
	User     string // systemd --user
	// Target is the argument: worker or process of stack, shell of completion, command of
	// help.
	Target string
	// Limit is how many connections are shown at most, 0 means all. Filter.Limit is one
	// more, so that it can be told that there were more.
	Limit  int
	Filter control.Filter
}

// command is what the table knows of a command. Parse, Help and Completion read it.
type command struct {
	name     string
	summary  string // half a sentence for the list
	detail   string // sentences for the command's own help
	options  []option
	argument string   // name of the argument, in brackets if it is optional
	choices  []string // what the argument may be; nil means anything
}

// option is an option of a command. Without value it is a switch.
type option struct {
	name    string // with its dashes, as help shows it
	value   string // what stands for the value in the help
	usage   string
	choices []string // values that completion offers
	set     func(c *Command, value string) error
}

func toggle(name, usage string, field func(*Command) *bool) option {
	return option{name: name, usage: usage, set: func(c *Command, value string) error {
		on, err := strconv.ParseBool(value)
		*field(c) = on
		return wanted(err, "true or false")
	}}
}

func text(name, value, usage string, field func(*Command) *string) option {
	return option{name: name, value: value, usage: usage, set: func(c *Command, value string) error {
		*field(c) = value
		return nil
	}}
}

func number(name, value, usage string, field func(*Command) *int) option {
	return option{name: name, value: value, usage: usage, set: func(c *Command, value string) error {
		n, err := strconv.ParseUint(value, 10, 31)
		*field(c) = int(n)
		return wanted(err, "a number")
	}}
}

// wanted is nil, or tells what a value should have been.
func wanted(err error, what string) error {
	if err == nil {
		return nil
	}
	return errors.New("needs " + what)
}

func daemon(usage string) option {
	return toggle("-d", usage, func(c *Command) *bool { return &c.Daemon })
}

func graceful(usage string) option {
	return toggle("-g", usage, func(c *Command) *bool { return &c.Graceful })
}

func watch(usage string) option {
	return toggle("-d", usage, func(c *Command) *bool { return &c.Live })
}

func asJSON() option {
	return toggle("--json", "print JSON", func(c *Command) *bool { return &c.JSON })
}

var commands = []command{
	{
		name: "start", summary: "start the program",
		detail:  "It stays in the foreground and writes to the terminal until Ctrl+C, unless -d is given.",
		options: []option{daemon("run in the background as a daemon")},
	},
	{
		name: "stop", summary: "stop it",
		detail:  "What was sent is written and connections are closed; a process that takes longer than the stop timeout is killed.",
		options: []option{graceful("let connections end by themselves")},
	},
	{
		name: "restart", summary: "stop it if it runs, and start it",
		options: []option{daemon("run in the background as a daemon"), graceful("let connections end by themselves before it stops")},
	},
	{
		name: "reload", summary: "replace its processes by new ones, one after the other",
		detail:  "The new processes run the program file as it is now. If one does not become ready, the old one goes on serving.",
		options: []option{graceful("let connections that cannot move to a new process end by themselves")},
	},
	{
		name: "status", summary: "show its processes and what they do",
		options: []option{watch("show it every second, until q"), asJSON()},
	},
	{
		name: "connections", summary: "list its connections",
		detail: "The options choose among them; all that are given have to match.",
		options: []option{
			watch("show them every second, until q"), asJSON(),
			text("--worker", "NAME", "those of a worker", func(c *Command) *string { return &c.Filter.Worker }),
			number("--pid", "N", "those of a process", func(c *Command) *int { return &c.Filter.PID }),
			text("--peer", "PREFIX", "those whose foreign address begins so", func(c *Command) *string { return &c.Filter.Peer }),
			state("established", "handshake", "closing", "paused"),
			{name: "--idle", value: "DURATION", usage: "those without traffic for at least so long, as 90s or 5m", set: setIdle},
			number("--queued", "BYTES", "those for whose peer at least so much waits to be sent", func(c *Command) *int { return &c.Filter.Queued }),
			number("--limit", "N", "at most so many, 0 for all (default "+strconv.Itoa(defaultLimit)+")", func(c *Command) *int { return &c.Limit }),
		},
	},
	{
		name: "stack", summary: "print where its goroutines are", argument: "[WORKER|PID]",
		detail: "Those of all processes, of the processes of a worker, or of one process.",
	},
	{
		name: "logs", summary: "print the end of its log",
		options: []option{
			toggle("-f", "go on with what is written from now on", func(c *Command) *bool { return &c.Follow }),
			number("-n", "N", "lines to begin with (default "+strconv.Itoa(defaultLines)+")", func(c *Command) *int { return &c.Lines }),
		},
	},
	{
		name: "check", summary: "check its workers without starting them",
		options: []option{asJSON()},
	},
	{
		name: "systemd", summary: "print a unit file for systemd",
		options: []option{text("--user", "USER", "the user as whom it runs", func(c *Command) *string { return &c.User })},
	},
	{
		name: "completion", summary: "print a script that lets a shell complete commands", argument: "bash|zsh", choices: []string{"bash", "zsh"},
		detail: `For bash: source <(PROGRAM completion bash). For zsh: source <(PROGRAM completion zsh), after compinit.`,
	},
	{name: "help", summary: "tell about a command", argument: "[COMMAND]"},
}

const (
	defaultLimit = 10000
	defaultLines = 10
)

func state(words ...string) option {
	o := text("--state", "STATE", "those in a state: "+strings.Join(words, ", "), func(c *Command) *string { return &c.Filter.State })
	o.choices = words
	return o
}

func setIdle(c *Command, value string) error {
	d, err := time.ParseDuration(value)
	if err == nil && d < 0 {
		err = errors.New("negative")
	}
	c.Filter.Idle = d.Milliseconds()
	return wanted(err, "a duration, as 90s or 5m")
}

func commandNamed(name string) *command {
	for i := range commands {
		if commands[i].name == name {
			return &commands[i]
		}
	}
	return nil
}

func commandNames() []string {
	names := make([]string, len(commands))
	for i, c := range commands {
		names[i] = c.name
	}
	return names
}

// words are what the argument of c may be, nil for anything.
func (c *command) words() []string {
	if c.name == "help" {
		return commandNames()
	}
	return c.choices
}
