package logfile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

const appenderLines = 1000

func TestLinesAreInTheFileWhenWriteReturns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "folders", "app.log")
	f, _ := open(t, path, 0, 0)
	write(t, f, "one\n")
	write(t, f, "two\n")
	if got := content(t, path); got != "one\ntwo\n" {
		t.Errorf("%q", got)
	}
	if info, _ := os.Stat(path); info.Mode().Perm()&^0o644 != 0 {
		t.Errorf("mode %v", info.Mode())
	}
	if f.Path() != path {
		t.Errorf("path %q", f.Path())
	}
	f.Close()
	if _, err := f.Write([]byte("x\n")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	if err := f.Reopen(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Reopen after Close: %v", err)
	}
	if _, err := f.Dup(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Dup after Close: %v", err)
	}
}

func TestOpenSaysWhyItCannot(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "file", "app.log")} {
		if _, err := Open(path, 0, 0); err == nil || !strings.Contains(err.Error(), "log file: ") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestRotationKeepsTheNewest(t *testing.T) {
	for _, test := range []struct {
		keep int
		want map[string]string
	}{
		{2, map[string]string{"": "", ".1": "line 4\n", ".2": "line 3\n"}},
		{-1, map[string]string{"": ""}},
	} {
		path := filepath.Join(t.TempDir(), "app.log")
		f, _ := open(t, path, 5, test.keep)
		for i := range 5 {
			write(t, f, fmt.Sprintf("line %d\n", i))
		}
		files, _ := filepath.Glob(path + "*")
		if len(files) != len(test.want) {
			t.Errorf("keep %d: %v", test.keep, files)
		}
		for end, want := range test.want {
			if got := content(t, path+end); got != want {
				t.Errorf("keep %d: %s holds %q, want %q", test.keep, end, got, want)
			}
		}
		select {
		case <-f.Rotated():
		default:
			t.Error("nobody is told of the rotation")
		}
	}
}

func TestNegativeSizeNeverRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	f, _ := open(t, path, -1, 0)
	write(t, f, strings.Repeat("x", 1<<19)+"\n")
	if _, err := os.Stat(path + ".1"); err == nil {
		t.Error("rotated")
	}
}

// What the processes write counts, too: the owner looks at the size now and then.
func TestOwnerRotatesWhatOthersWrote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	f, _ := open(t, path, 100, 3)
	dup, err := f.Dup()
	if err != nil {
		t.Fatal(err)
	}
	shared := Share(dup)
	defer shared.Close()
	write(t, shared, strings.Repeat("x", 200)+"\n")
	wait(t, f.Rotated())
	write(t, shared, "late\n") // before it is told
	if dup, err = f.Dup(); err != nil {
		t.Fatal(err)
	}
	shared.Replace(dup)
	write(t, shared, "new\n")
	if got := content(t, path); got != "new\n" {
		t.Errorf("the new file holds %q", got)
	}
	if got := content(t, path+".1"); !strings.HasSuffix(got, "x\nlate\n") {
		t.Errorf("the old file holds %q", got)
	}
}

func TestMovedAndDeletedFilesAreBegunAnew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "logs", "app.log")
	f, _ := open(t, path, 0, 0)
	write(t, f, "one\n")
	if err := os.Rename(path, path+"-20261125"); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); err != nil { // as a command does
		t.Fatal(err)
	}
	wait(t, f.Rotated())
	write(t, f, "two\n")
	if got := content(t, path); got != "two\n" {
		t.Errorf("%q", got)
	}
	if err := f.Reopen(); err != nil { // nothing moved
		t.Fatal(err)
	}
	write(t, f, "three\n")
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	wait(t, f.Rotated()) // by itself
	write(t, f, "four\n")
	if got := content(t, path); got != "four\n" {
		t.Errorf("%q", got)
	}
}

func wait(t *testing.T, c <-chan struct{}) {
	t.Helper()
	testkit.Receive(t, c, "somebody is told of the rotation")
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	if f, err := os.OpenFile(path, os.O_WRONLY, 0); err != nil {
		t.Skip("no /dev/full: ", err)
	} else {
		f.Close()
	}
	f, told := open(t, path, 0, 0)
	for range 3 {
		write(t, f, "lost\nlost\n")
	}
	if list := told.all(); len(list) != 1 || !strings.Contains(list[0], "no space left on device") || !strings.Contains(list[0], path) {
		t.Errorf("reported: %q", list)
	}
	if err := os.Remove(path); err != nil { // room is made
		t.Fatal(err)
	}
	// The note comes without another line.
	testkit.Eventually(t, "the note", func() bool { b, _ := os.ReadFile(path); return len(b) > 0 })
	write(t, f, "kept\n")
	got := content(t, path)
	if !strings.Contains(got, "6 lines were lost: no space left on device\n") || !strings.HasSuffix(got, "\nkept\n") {
		t.Errorf("%q", got)
	}
	if n := strings.Count(got, "were lost"); n != 1 {
		t.Errorf("%d notes", n)
	}
}

// A pipe that nobody reads stands for a disk that hangs.
func TestSlowDiskHoldsNobodyUp(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, _ := watched(t, Share(w))
	line := strings.Repeat("x", 999) + "\n"
	const sent = 3000 // more than pipe and buffer hold
	for range sent {
		write(t, f, line)
	}
	read := make(chan string)
	go func() {
		var b strings.Builder
		buf := make([]byte, 64<<10)
		for {
			n, err := r.Read(buf)
			b.Write(buf[:n])
			if err != nil {
				read <- b.String()
				return
			}
		}
	}()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	got := <-read
	kept := strings.Count(got, line)
	var lost int
	if _, after, ok := strings.Cut(got, " WARN  log: "); ok {
		fmt.Sscan(after, &lost)
	}
	if kept+lost != sent || lost == 0 || !strings.Contains(got, "lines were lost: the disk is too slow\n") {
		t.Errorf("%d of %d lines kept, %d told as lost", kept, sent, lost)
	}
}

// Every line of several processes is there once and whole while the owner rotates.
func TestProcessesShareTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	f, _ := open(t, path, 4096, 100)
	const processes = 3
	var running []*exec.Cmd
	for i := range processes {
		dup, err := f.Dup()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("LOGFILE_APPENDER=process-%d", i))
		cmd.ExtraFiles = []*os.File{dup}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		dup.Close()
		running = append(running, cmd)
	}
	for i := range appenderLines {
		write(t, f, fmt.Sprintf("owner %d\n", i))
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	seen := make(map[string]int)
	for _, line := range linesOf(t, path) {
		seen[line]++
	}
	if len(seen) != (processes+1)*appenderLines {
		t.Errorf("%d different lines", len(seen))
	}
	for line, n := range seen {
		if n != 1 {
			t.Errorf("%q is there %d times", line, n)
		}
	}
	if _, err := os.Stat(path + ".1"); err != nil {
		t.Error("nothing was rotated")
	}
}

func BenchmarkWrite(b *testing.B) {
	f, err := Open(filepath.Join(b.TempDir(), "app.log"), 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := []byte(strings.Repeat("x", 100) + "\n")
	b.ReportAllocs()
	for b.Loop() {
		f.Write(line)
	}
}
