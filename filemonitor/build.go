package filemonitor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// builder makes the program anew with the go command.
type builder struct {
	goCommand string
	dir       string
	pkg       string
	flags     []string
	program   string // file of the program
}

// buildError is what the compiler says.
type buildError struct{ text string }

func (e *buildError) Error() string { return e.text }

// goCommand finds the go command, also where it is not in PATH.
func goCommand() (string, error) {
	name, err := exec.LookPath("go")
	if err == nil {
		return name, nil
	}
	for _, root := range []string{os.Getenv("GOROOT"), "/usr/local/go"} {
		file := filepath.Join(root, "bin", "go")
		if root != "" && executable(file) {
			return file, nil
		}
	}
	return "", errors.New("the go command is not there: put it into PATH, or set Options.NoBuild")
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && (info.Mode()&0o111 != 0 || runtime.GOOS == "windows")
}

// build replaces the program's file by a new one if that compiles and differs. The error is a
// *buildError if the source is wrong. At the end of ctx it gives up.
func (b *builder) build(ctx context.Context) (changed bool, err error) {
	// In the same folder, so that a rename puts it in place, and with a name that is not watched.
	next := filepath.Join(filepath.Dir(b.program), "."+filepath.Base(b.program)+".next")
	defer os.Remove(next)
	args := append([]string{"build", "-o", next}, b.flags...)
	out, err := b.run(ctx, append(args, b.pkg)...)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return false, &buildError{strings.TrimSpace(out)}
	}
	if err != nil {
		return false, err
	}
	if same(next, b.program) {
		return false, nil
	}
	return true, os.Rename(next, b.program)
}

// embeds lists what the packages of the program embed.
func (b *builder) embeds(ctx context.Context) ([]embed, error) {
	const format = `{{if .Module}}{{if .Module.Main}}{{$dir := .Dir}}{{range .EmbedPatterns}}{{$dir}}{{"\t"}}{{.}}{{"\n"}}{{end}}{{end}}{{end}}`
	args := []string{"list", "-deps", "-f", format}
	for _, flag := range b.flags {
		if strings.HasPrefix(flag, "-tags=") {
			args = append(args, flag)
		}
	}
	out, err := b.run(ctx, append(args, b.pkg)...)
	if err != nil {
		return nil, &buildError{strings.TrimSpace(out)}
	}
	var list []embed
	for line := range strings.Lines(out) {
		if dir, pattern, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			list = append(list, embed{dir, pattern})
		}
	}
	return list, nil
}

// run runs the go command and returns what it prints.
func (b *builder) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, b.goCommand, args...)
	cmd.Dir = b.dir
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	killAll(cmd)
	err := cmd.Run()
	return out.String(), err
}

// same reports whether two files hold the same.
func same(a, b string) bool {
	x, err := os.Open(a)
	if err != nil {
		return false
	}
	defer x.Close()
	y, err := os.Open(b)
	if err != nil {
		return false
	}
	defer y.Close()
	xs, err1 := x.Stat()
	ys, err2 := y.Stat()
	if err1 != nil || err2 != nil || xs.Size() != ys.Size() {
		return false
	}
	p, q := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(x, p)
		m, _ := io.ReadFull(y, q)
		if n != m || !bytes.Equal(p[:n], q[:m]) {
			return false
		}
		if err != nil {
			return err == io.EOF || err == io.ErrUnexpectedEOF
		}
	}
}
