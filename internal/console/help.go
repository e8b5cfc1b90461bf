package console

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Help prints how program is used, or one of its commands if name is not empty. Own flags
// of the program are listed too; they may be nil.
func Help(w io.Writer, program, name string, flags *flag.FlagSet, o Look) error {
	var b bytes.Buffer
	program = clean(program)
	if c := commandNamed(name); c != nil {
		fmt.Fprintf(&b, "Usage: %s %s\n\n", program, c.usage())
		summary := strings.ToUpper(c.summary[:1]) + c.summary[1:] + "."
		if c.detail != "" {
			summary += " " + strings.ReplaceAll(c.detail, "PROGRAM", program)
		}
		for _, line := range o.narrowed().wrap(summary) {
			fmt.Fprintln(&b, line)
		}
		c.appendOptions(&b)
	} else {
		fmt.Fprintf(&b, "Usage: %s COMMAND [OPTIONS] [FLAGS OF THE PROGRAM]\n\nCommands:\n", program)
		for i := range commands {
			fmt.Fprintf(&b, "  %-20s %s\n", commands[i].brief(), commands[i].summary)
		}
		fmt.Fprintf(&b, "\n\"%s help COMMAND\" tells more about one.\n", program)
	}
	appendFlags(&b, flags)
	fmt.Fprintf(&b, "\nExit codes: %d done, %d failed, %d wrong usage, %d not running.\n", ExitDone, ExitFailed, ExitUsage, ExitNotRunning)
	_, err := w.Write(b.Bytes())
	return err
}

// brief is the command with its short options.
func (c *command) brief() string {
	text := c.name
	for _, o := range c.options {
		if len(o.name) == len("-d") && o.value == "" {
			text += " [" + o.name + "]"
		}
	}
	if c.argument != "" {
		text += " " + c.argument
	}
	return text
}

// usage is the command with what may follow it.
func (c *command) usage() string {
	text := c.name
	if len(c.options) > 3 {
		text += " [OPTIONS]"
	} else {
		for _, o := range c.options {
			text += " [" + o.form() + "]"
		}
	}
	if c.argument != "" {
		text += " " + c.argument
	}
	return text
}

// form is the option with what stands for its value.
func (o *option) form() string {
	if o.value == "" {
		return o.name
	}
	return o.name + " " + o.value
}

func (c *command) appendOptions(b *bytes.Buffer) {
	if len(c.options) == 0 {
		return
	}
	b.WriteString("\nOptions:\n")
	width := 0
	for _, o := range c.options {
		width = max(width, len(o.form()))
	}
	for _, o := range c.options {
		fmt.Fprintf(b, "  %-*s  %s\n", width, o.form(), o.usage)
	}
}

// appendFlags lists the flags of the program.
func appendFlags(b *bytes.Buffer, flags *flag.FlagSet) {
	if flags == nil {
		return
	}
	empty := true
	flags.VisitAll(func(*flag.Flag) { empty = false })
	if empty {
		return
	}
	b.WriteString("\nFlags of the program:\n")
	before := flags.Output()
	flags.SetOutput(b)
	flags.PrintDefaults()
	flags.SetOutput(before)
}

// narrowed is a Look for sentences, which are not read well in long lines.
func (l Look) narrowed() Look {
	l.Width = min(l.limit(), 80)
	return l
}
