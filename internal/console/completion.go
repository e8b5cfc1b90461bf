package console

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Completion prints the script with which a shell, "bash" or "zsh", completes the commands
// of program and their options. Program is the name or path by which it is called.
func Completion(w io.Writer, shell, program string) error {
	program = program[strings.LastIndexByte(program, '/')+1:]
	var b bytes.Buffer
	switch shell {
	case "bash":
		appendBash(&b, program)
	case "zsh":
		appendZsh(&b, program)
	default:
		return fmt.Errorf("no completion for the shell %q, only for bash and zsh", shell)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// functionName is the name of the completing function.
func functionName(program string) string {
	return "_" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, program)
}

// quote makes one word of s for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func appendBash(b *bytes.Buffer, program string) {
	function := functionName(program)
	fmt.Fprintf(b, `# Completion for bash: source <(PROGRAM completion bash)
%s() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		COMPREPLY=($(compgen -W '%s' -- "$word"))
		return
	fi
	case ${COMP_WORDS[1]} in
`, function, strings.Join(commandNames(), " "))
	for i := range commands {
		commands[i].appendBash(b)
	}
	fmt.Fprintf(b, "\tesac\n}\ncomplete -o default -F %s -- %s\n", function, quote(program))
}

// appendBash appends the case of a command.
func (c *command) appendBash(b *bytes.Buffer) {
	var names, values []string // values are cases of the word before
	for _, o := range c.options {
		names = append(names, o.name)
		generate := ""
		switch {
		case o.value == "":
			continue
		case o.value == "USER":
			generate = "-u"
		case o.choices != nil:
			generate = "-W '" + strings.Join(o.choices, " ") + "'"
		default:
			values = append(values, o.name+") return ;;")
			continue
		}
		values = append(values, fmt.Sprintf(`%s) COMPREPLY=($(compgen %s -- "$word")); return ;;`, o.name, generate))
	}
	fmt.Fprintf(b, "\t%s)\n", c.name)
	if values != nil {
		fmt.Fprintf(b, "\t\tcase $before in\n\t\t%s\n\t\tesac\n", strings.Join(values, "\n\t\t"))
	}
	if words := append(names, c.words()...); len(words) > 0 {
		fmt.Fprintf(b, "\t\tCOMPREPLY=($(compgen -W '%s' -- \"$word\"))\n", strings.Join(words, " "))
	}
	b.WriteString("\t\t;;\n")
}

func appendZsh(b *bytes.Buffer, program string) {
	function := functionName(program)
	fmt.Fprintf(b, `#compdef %s
# Completion for zsh: source <(PROGRAM completion zsh), after compinit.
%s() {
	local -a commands
	if ((CURRENT == 2)); then
		commands=(
`, program, function)
	for i := range commands {
		fmt.Fprintf(b, "\t\t\t%s\n", quote(commands[i].name+":"+commands[i].summary))
	}
	b.WriteString("\t\t)\n\t\t_describe command commands\n\t\treturn\n\tfi\n\tshift words\n\t((CURRENT--))\n\tcase $words[1] in\n")
	for i := range commands {
		commands[i].appendZsh(b)
	}
	// A file in fpath is the function itself when it is called first.
	fmt.Fprintf(b, "\tesac\n}\nif [[ $funcstack[1] == %s ]]; then\n\t%s \"$@\"\nelse\n\tcompdef %s %s\nfi\n", function, function, function, quote(program))
}

// appendZsh appends the case of a command.
func (c *command) appendZsh(b *bytes.Buffer) {
	var specs []string
	for _, o := range c.options {
		spec := o.name + "[" + strings.NewReplacer("[", "(", "]", ")").Replace(o.usage) + "]"
		if o.value != "" {
			spec += ":" + o.value + ":"
			switch {
			case o.value == "USER":
				spec += "_users"
			case o.choices != nil:
				spec += "(" + strings.Join(o.choices, " ") + ")"
			}
		}
		specs = append(specs, quote(spec))
	}
	if words := c.words(); words != nil {
		specs = append(specs, quote("1:"+strings.Trim(c.argument, "[]")+":("+strings.Join(words, " ")+")"))
	}
	specs = append(specs, quote("*::file:_files"))
	fmt.Fprintf(b, "\t%s) _arguments %s ;;\n", c.name, strings.Join(specs, " "))
}
