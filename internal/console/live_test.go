package console

import (
	"bufio"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// On a pipe one block follows the other, plain.
func TestLiveOnAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gone := errors.New("gone")
	rounds := 0
	l := newLive(os.Stdin, w, &connectionsPage{get: func(context.Context) ([]control.Connection, error) {
		if rounds++; rounds > 3 {
			return nil, gone
		}
		return someConnections(rounds), nil
	}})
	l.interval = time.Millisecond
	ended := make(chan error)
	go func() {
		err := l.run(ctx)
		w.Close()
		ended <- err
	}()
	var lines []string
	for s := bufio.NewScanner(r); s.Scan(); {
		lines = append(lines, s.Text())
	}
	if err := <-ended; !errors.Is(err, gone) || !strings.HasPrefix(err.Error(), "the master does not answer any more") {
		t.Error(err)
	}
	text := strings.Join(lines, "\n")
	if strings.Count(text, "PID ") != 3 || strings.Count(text, "Summary: ") != 3 || strings.Count(text, "192.168.") != 1+2+3 || strings.Contains(text, "\x1b") {
		t.Errorf("three rounds are\n%s", text)
	}
}

func TestLiveEndsWithItsContext(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	err = LiveStatus(ctx, os.Stdin, w, func(ctx context.Context) (control.Status, error) {
		cancel()
		return control.Status{}, ctx.Err()
	})
	if err != nil {
		t.Error(err)
	}
}

func TestKeys(t *testing.T) {
	for sent, want := range map[string][]key{
		"":                             nil,
		"qs?":                          {'q', 's', '?'},
		"\x1b[A\x1bOB\x1b[C\x1b[D":     {keyUp, keyDown, keyRight, keyLeft},
		"\x1b[5~\x1b[6~\x1b[H\x1bOF":   {keyPageUp, keyPageDown, keyHome, keyEnd},
		"\x1b[1~\x1b[4~":               {keyHome, keyEnd},
		"a\x1b[1;5Aq\x1b[15~r\x1b[200": {'a', 'q', 'r'},
		"\x1b":                         nil,
		"\x1bq":                        {'q'},
		"é\xff":                        {'é', '\ufffd'},
	} {
		got := appendKeys(nil, []byte(sent))
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", sent, got, want)
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte("q\x1b[A\x1b[1;5A\x1b\x1b["))
	f.Fuzz(func(t *testing.T, b []byte) {
		if keys := appendKeys(nil, b); len(keys) > len(b) {
			t.Errorf("%q are %d keys", b, len(keys))
		}
	})
}
