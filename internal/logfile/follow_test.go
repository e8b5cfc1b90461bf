package logfile

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	long := strings.Repeat("x", 200<<10) + "\n"
	for _, test := range []struct {
		files []string // the newest first
		lines int
		want  string
	}{
		{[]string{""}, 3, ""},
		{[]string{"a\nb\nc\n"}, 2, "b\nc\n"},
		{[]string{"a\nb\nc\n"}, 3, "a\nb\nc\n"},
		{[]string{"a\nb\nc\n"}, 9, "a\nb\nc\n"},
		{[]string{"a\nb\nc\n"}, 0, ""},
		{[]string{"a\nb"}, 1, "b"},
		{[]string{"\n\n\n"}, 2, "\n\n"},
		{[]string{"d\n", "b\nc\n", "a\n"}, 3, "b\nc\nd\n"},
		{[]string{"", "b\nc\n", "a\n"}, 5, "a\nb\nc\n"},
		{[]string{"a\n" + long + "b\n"}, 2, long + "b\n"},
	} {
		for i, text := range test.files {
			name := path
			if i > 0 {
				name = rotatedPath(path, i)
			}
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var b strings.Builder
		if err := Tail(path, test.lines, &b); err != nil || b.String() != test.want {
			t.Errorf("%.40q, %d: %.40q, %v", test.files, test.lines, b.String(), err)
		}
		for i := range test.files[1:] {
			os.Remove(rotatedPath(path, i+1))
		}
	}
	if err := Tail(path+"-missing", 1, io.Discard); !os.IsNotExist(err) {
		t.Errorf("missing file: %v", err)
	}
	if err := Tail(filepath.Dir(path), 1, io.Discard); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("folder: %v", err)
	}
}

// Each line arrives once and in order, from before the file is there, across rotations and a
// cut.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := Follow(ctx, path, 1, w)
		w.CloseWithError(err)
		ended <- err
	}()
	stop := time.AfterFunc(testkit.Patience, func() { w.CloseWithError(context.DeadlineExceeded) })
	defer stop.Stop()
	in := bufio.NewReader(r)
	want := func(text string) {
		t.Helper()
		if line, err := in.ReadString('\n'); line != text+"\n" || err != nil {
			t.Fatalf("got %q, %v, want %q", line, err, text)
		}
	}
	f, _ := open(t, path, 400, 3)
	write(t, f, "first\n")
	want("first")
	for i := range 3 {
		text := fmt.Sprintf("%d %s", i, strings.Repeat("x", 500)) // one rotation each
		write(t, f, text+"\n")
		want(text)
		text = fmt.Sprintf("after %d", i)
		write(t, f, text+"\n")
		want(text)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	write(t, f, "x\n")
	want("x")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
