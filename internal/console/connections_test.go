package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
)

// someConnections are rows that differ in width and kind.
func someConnections(n int) []control.Connection {
	rows := make([]control.Connection, n)
	for i := range rows {
		rows[i] = control.Connection{
			PID: 4712 + i%4, Worker: "chat", ID: uint64(i + 1), Transport: "tcp", Protocol: "websocket", State: "established",
			Received: i % 3, Queued: i % 5 * 700, BytesIn: uint64(i) * 12345, BytesOut: uint64(i*i) * 1009, Age: int64(i) * 98765, Idle: int64(i) * 321,
			Local: "10.0.0.1:2346", Remote: fmt.Sprintf("192.168.%d.%d:%d", i/256%256, i%256, 1024+i%60000), User: fmt.Sprint("user-", i),
		}
	}
	if n > 3 {
		rows[1].Remote, rows[1].Local, rows[1].State, rows[1].Transport = "[2001:db8:aaaa::1]:54321", "[2001:db8::2]:2346", "closing", "ssl"
		rows[2].Outgoing, rows[2].Worker, rows[2].Protocol, rows[2].User = true, "网关-outgoing", "frame", ""
	}
	return rows
}

func each(rows []control.Connection) Rows {
	return func(yield func(*control.Connection, error) bool) {
		for i := range rows {
			if !yield(&rows[i], nil) {
				return
			}
		}
	}
}

func TestConnectionsLayout(t *testing.T) {
	for _, width := range []int{0, 120, 80} {
		var b bytes.Buffer
		if err := Connections(&b, each(someConnections(5)), 0, Look{Width: width}); err != nil {
			t.Fatal(err)
		}
		golden(t, fmt.Sprintf("connections-%d", width), b.String())
	}
}

func TestConnectionsLimitSaysThatThereAreMore(t *testing.T) {
	const note = "There are more than 3 connections"
	for total, cut := range map[int]bool{2: false, 3: false, 4: true} {
		var b bytes.Buffer
		if err := Connections(&b, each(someConnections(total)), 3, Look{}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(b.String(), "192.168.") + strings.Count(b.String(), "2001:db8:aaaa")
		if lines != min(total, 3) || strings.Contains(b.String(), note) != cut {
			t.Errorf("%d of 3: %d rows\n%s", total, lines, b.String())
		}
	}
}

// Rows that come after those that decide about the widths are neither lost nor cut on a pipe.
func TestConnectionsStreamBeyondTheMeasuredRows(t *testing.T) {
	rows := someConnections(3 * measured)
	last := &rows[len(rows)-1]
	last.Worker, last.Remote = strings.Repeat("long", 20), "[fe80::1234:5678:9abc:def0%eth0]:65535"
	var b bytes.Buffer
	given := 0
	err := Connections(&b, func(yield func(*control.Connection, error) bool) {
		for row := range each(rows) {
			if given++; given == len(rows) && b.Len() == 0 {
				t.Error("nothing was written before the last row came")
			}
			lent := *row
			if !yield(&lent, nil) {
				return
			}
			lent = control.Connection{Worker: "taken back"}
		}
	}, 0, Look{})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != len(rows)+2 || !strings.Contains(lines[len(rows)], last.Worker) || !strings.Contains(lines[len(rows)], last.Remote) {
		t.Errorf("%d lines, the last of them %q", len(lines), lines[len(lines)-2])
	}
	if strings.Contains(b.String(), "taken back") {
		t.Error("a row was kept longer than it was lent")
	}
}

func TestConnectionsTellTheErrorOfTheirRows(t *testing.T) {
	broken := errors.New("broken")
	rows := func(yield func(*control.Connection, error) bool) {
		c := someConnections(1)[0]
		_ = yield(&c, nil) && yield(nil, broken)
	}
	if err := Connections(io.Discard, rows, 0, Look{}); err != broken {
		t.Errorf("the error is %v", err)
	}
	var b bytes.Buffer
	if err := ConnectionsJSON(&b, rows, 0); err != broken {
		t.Errorf("the error is %v", err)
	}
	if json.Valid(b.Bytes()) {
		t.Errorf("half a list looks like a whole one: %s", b.String())
	}
}

func TestConnectionsJSON(t *testing.T) {
	rows := someConnections(500)
	for limit, n := range map[int]int{0: 500, 7: 7, 500: 500} {
		var b bytes.Buffer
		if err := ConnectionsJSON(&b, each(rows), limit); err != nil {
			t.Fatal(err)
		}
		var back []control.Connection
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || !reflect.DeepEqual(back, rows[:n]) {
			t.Errorf("limit %d: %d rows, %v", limit, len(back), err)
		}
	}
	var b bytes.Buffer
	if err := ConnectionsJSON(&b, each(nil), 0); err != nil || strings.TrimSpace(b.String()) != "[\n]" {
		t.Errorf("none: %q, %v", b.String(), err)
	}
}

func BenchmarkConnections(b *testing.B) {
	rows := someConnections(100_000)
	for _, width := range []int{0, 120} {
		b.Run(fmt.Sprint(width), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Connections(io.Discard, each(rows), 0, Look{Width: width})
			}
		})
	}
}

func BenchmarkConnectionsJSON(b *testing.B) {
	rows := someConnections(100_000)
	for b.Loop() {
		ConnectionsJSON(io.Discard, each(rows), 0)
	}
}
