package console

import (
	"flag"
	"os"
	"strings"
	"testing"
)

func TestHelp(t *testing.T) {
	flags := flag.NewFlagSet("chat", flag.ContinueOnError)
	flags.String("listen", ":80", "`address` for clients")
	var b strings.Builder
	if err := Help(&b, "./chat", "", flags, Look{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "help", b.String())
	if flags.Output() != os.Stderr {
		t.Error("the flags write elsewhere now")
	}
	for _, none := range []*flag.FlagSet{nil, flag.NewFlagSet("", flag.ContinueOnError)} {
		b.Reset()
		Help(&b, "./chat", "", none, Look{})
		if strings.Contains(b.String(), "Flags of") {
			t.Errorf("a program without flags has some:\n%s", b.String())
		}
	}
}

func TestHelpOfCommands(t *testing.T) {
	for i := range commands {
		c := &commands[i]
		var b strings.Builder
		if err := Help(&b, "./chat", c.name, nil, Look{Width: 60}); err != nil {
			t.Fatal(err)
		}
		for _, o := range c.options {
			if !strings.Contains(b.String(), "\n  "+o.form()+" ") || !strings.Contains(b.String(), o.usage) {
				t.Errorf("the help of %s does not tell about %s:\n%s", c.name, o.name, b.String())
			}
		}
		if !strings.HasPrefix(b.String(), "Usage: ./chat "+c.name) {
			t.Error(b.String())
		}
	}
	var b strings.Builder
	Help(&b, "./chat", "connections", nil, Look{})
	golden(t, "help-connections", b.String())
}
