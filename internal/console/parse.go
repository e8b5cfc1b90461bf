package console

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Parse reads a command line, with the program in args[0]. The command is its first word;
// options of the command follow, in one order or another, with one dash or two, and their
// values in the same word after = or in the next. The first word that is none of them ends
// the command's part, as -- does; the rest belongs to the flags of the program. -h or --help
// at the end is the command help. Without a command, when the first word begins with a dash or
// there is none, Name is empty and all is rest. An error is one of usage and tells what was meant,
// perhaps.
func Parse(args []string) (c Command, rest []string, err error) {
	if len(args) < 2 {
		return c, nil, nil
	}
	word, rest := args[1], args[1:]
	if strings.HasPrefix(word, "-") {
		return c, rest, nil
	}
	known := commandNamed(word)
	if known == nil {
		return c, nil, unknown(word, filepath.Base(args[0]))
	}
	c = Command{Name: word, Lines: defaultLines, Limit: defaultLimit}
	rest, err = known.parse(&c, args[2:])
	if err != nil {
		return c, nil, fmt.Errorf("%s: %w", word, err)
	}
	if c.Limit > 0 {
		c.Filter.Limit = c.Limit + 1
	}
	return c, rest, nil
}

// parse reads options and argument of a command and returns what is left.
func (known *command) parse(c *Command, args []string) (rest []string, err error) {
	for len(args) > 0 {
		word := args[0]
		if word == "--" {
			args = args[1:]
			break
		}
		if !strings.HasPrefix(word, "-") {
			if known.argument == "" || c.Target != "" || word == "" {
				break
			}
			c.Target, args = word, args[1:]
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if len(args) == 1 && (word == "-h" || name == "help") {
			c.Name, c.Target = "help", known.name
			return nil, nil
		}
		o := known.option(name)
		if o == nil || strings.HasPrefix(word, "---") {
			break
		}
		args = args[1:]
		switch {
		case !given && o.value == "":
			value = "true"
		case !given && len(args) == 0:
			return nil, fmt.Errorf("%s needs a value: %s", o.name, o.value)
		case !given:
			value, args = args[0], args[1:]
		}
		if err := o.set(c, value); err != nil {
			return nil, fmt.Errorf("%s %w, not %q", o.name, err, value)
		}
	}
	return args, known.complete(c)
}

// complete checks what single options cannot.
func (known *command) complete(c *Command) error {
	if c.Live && c.JSON {
		return errors.New("-d and --json exclude each other")
	}
	words := known.words()
	switch {
	case words == nil, c.Target == "" && strings.HasPrefix(known.argument, "["):
		return nil
	case c.Target == "":
		return fmt.Errorf("needs %s", known.argument)
	case !slices.Contains(words, c.Target):
		return fmt.Errorf("does not know %q%s", c.Target, meant(c.Target, words))
	}
	return nil
}

func (known *command) option(name string) *option {
	for i := range known.options {
		if strings.TrimLeft(known.options[i].name, "-") == name {
			return &known.options[i]
		}
	}
	return nil
}

func unknown(word, program string) error {
	hint := meant(word, commandNames())
	if hint == "" {
		hint = ":"
	}
	return fmt.Errorf("unknown command %q%s \"%s help\" lists the commands", word, hint, program)
}

// Misplaced is the error for a command that came behind the program's flags, where word is
// the first that is none of them.
func Misplaced(program, word string) error {
	if commandNamed(word) == nil {
		return nil
	}
	return fmt.Errorf("a command is the first argument: %s %s [OPTIONS] [FLAGS OF THE PROGRAM]", program, word)
}

// meant suggests the nearest of words, if one is near.
func meant(word string, words []string) string {
	best, nearest := "", 3
	for _, w := range words {
		if d := distance(word, w); d < nearest && 2*d < len(w) {
			best, nearest = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// distance is how many letters have to be added, removed, changed or swapped with their
// neighbour to get from a to b. Beyond a length that no command has it is the length.
func distance(a, b string) int {
	if len(a) > 32 {
		return len(a)
	}
	var rows [3][]int // two before, before, this
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := range len(a) {
		row := rows[2]
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(rows[1][j]+change, rows[1][j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], rows[0][j-1]+1)
			}
		}
		rows[0], rows[1], rows[2] = rows[1], rows[2], rows[0]
	}
	return rows[1][len(b)]
}
