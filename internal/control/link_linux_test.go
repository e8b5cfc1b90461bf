package control

import (
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
)

// links returns both ends of a link.
func links(t *testing.T) (a, b *Link) {
	t.Helper()
	a, far, err := NewLinks()
	if err != nil {
		t.Fatal(err)
	}
	if b, err = OpenLink(far); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestMessagesKeepTheirBounds(t *testing.T) {
	a, b := links(t)
	sent := []Message{{Kind: Hello, Version: 1}, {Kind: Up, Inside: []Worker{{Name: "inner"}}}, {Kind: Moving, Moved: 3, Left: 4}}
	for _, m := range sent {
		if err := a.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range sent {
		got, fds, err := b.Receive()
		if err != nil || len(fds) != 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, %v", got, fds, err)
		}
	}
}

func TestDescriptorsTravel(t *testing.T) {
	a, b := links(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := a.SendFile(Message{Kind: Ask}, w); err != nil {
		t.Fatal(err)
	}
	w.Close()
	m, fds, err := b.Receive()
	if err != nil || m.Kind != Ask || len(fds) != 1 {
		t.Fatalf("%+v, %v, %v", m, fds, err)
	}
	f := os.NewFile(uintptr(fds[0]), "pipe")
	io.WriteString(f, "through")
	f.Close()
	if text, err := io.ReadAll(r); string(text) != "through" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

func TestEndOfLink(t *testing.T) {
	a, b := links(t)
	a.Close()
	if _, _, err := b.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("receive: %v", err)
	}
	if err := b.Send(Message{Kind: Hello}); err == nil {
		t.Error("a message to nobody was sent")
	}
}

func TestMessageTooLarge(t *testing.T) {
	a, _ := links(t)
	if err := a.Send(Message{Kind: Failed, Error: strings.Repeat("x", maxMessage)}); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("error %v", err)
	}
}

// Others may write to a socket, and another version may say what this one does not know.
func TestForeignMessages(t *testing.T) {
	a, b := links(t)
	if _, err := a.conn.Write([]byte("no json")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Receive(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
	if err := a.Send(Message{Kind: "future"}); err != nil {
		t.Fatal(err)
	}
	if m, _, err := b.Receive(); err != nil || m.Kind != "future" {
		t.Errorf("%+v, %v", m, err)
	}
}

// On a machine of many processors a worker has more sockets than the kernel passes at a time.
func TestManyDescriptorsTravel(t *testing.T) {
	a, b := links(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, n := range []int{maxFiles, maxFiles + 1, 3*maxFiles - 1} {
		fds := make([]int, n)
		for i := range fds {
			fds[i] = int(null.Fd())
		}
		if err := a.Send(Message{Kind: Start, Sockets: n}, fds...); err != nil {
			t.Fatal(err)
		}
		m, got, err := b.Receive()
		CloseAll(got)
		if err != nil || m.Kind != Start || len(got) != n {
			t.Errorf("%+v with %d descriptors of %d, %v", m, len(got), n, err)
		}
	}
}
