package workerman

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/console"
	"github.com/workerman-go/workerman/internal/control"
)

type onlyConnect struct{ textProtocol }

func (onlyConnect) OnConnect(*Conn) {}

type onlyClose struct{ textProtocol }

func (onlyClose) OnClose(*Conn) {}

type connectAndClose struct{ textProtocol }

func (connectAndClose) OnConnect(*Conn) {}
func (connectAndClose) OnClose(*Conn)   {}

var _ ProtocolHooks = connectAndClose{}

// A protocol with one of the two hooks is told of that alone.
func TestProtocolHooks(t *testing.T) {
	for _, c := range []struct {
		name            string
		protocol        Protocol
		connect, closed bool
	}{
		{"no protocol", nil, false, false},
		{"none", textProtocol{}, false, false},
		{"OnConnect", onlyConnect{}, true, false},
		{"OnClose", onlyClose{}, false, true},
		{"both", connectAndClose{}, true, true},
	} {
		connect, closed := protocolHooks(c.protocol)
		if (connect != nil) != c.connect || (closed != nil) != c.closed {
			t.Errorf("%s: got %t and %t, want %t and %t", c.name, connect != nil, closed != nil, c.connect, c.closed)
		}
		if got := hasHooks(c.protocol); got != (c.connect || c.closed) {
			t.Errorf("%s: hasHooks: got %t, want %t", c.name, got, c.connect || c.closed)
		}
	}
}

// Another worker cannot be inside of one that NewWorker did not make.
func TestInsideOfAWorkerMadeWithoutNewWorker(t *testing.T) {
	m := &Master{Logger: discardLogger()}
	m.NewWorker("").Inside = new(Worker)
	if _, err := m.plan(); err == nil || !strings.Contains(err.Error(), "not one of the same master") {
		t.Errorf("plan: got %v, want that the worker is not one of the same master", err)
	}
}

func TestBanner(t *testing.T) {
	s := newTestService(t, kind{network: "tcp"})
	a, b := s.master.NewWorker("text://127.0.0.1:0"), s.master.NewWorker("udp://127.0.0.1:0")
	a.Name, a.Loops = "a-rather-long-name", 2
	s.master.NewWorker("")
	s.start()
	if n := len(s.log.lines("worker started")); n != 3 {
		t.Errorf("%d lines about the start:\n%s", n, s.log)
	}
	var out bytes.Buffer
	console.Banner(&out, control.Status{Workers: startedRows([]*Worker{a, b})}, console.Look{})
	lines := strings.Split(out.String(), "\n")
	if strings.Contains(out.String(), "\x1b") {
		t.Error("colours where none are wanted")
	}
	head, first, second := lines[3], lines[4], lines[5]
	for _, column := range []string{"worker", "listen", "processes", "loops", "state"} {
		at := strings.Index(head, column)
		for _, row := range []string{first, second} {
			if at < 1 || row[at] == ' ' || row[at-1] != ' ' {
				t.Errorf("column %s is not aligned:\n%s", column, out.String())
			}
		}
	}
	for _, word := range []string{"a-rather-long-name", "none", "text://" + a.Addr().String(), "udp://" + b.Addr().String(), "[OK]", "Press Ctrl+C"} {
		if !strings.Contains(out.String(), word) {
			t.Errorf("no %q in\n%s", word, out.String())
		}
	}
}

// What a connection that has closed was part of is forgotten, with groups and users that are empty
// then; the connection itself still knows it, for OnClose.
func TestHubForgets(t *testing.T) {
	s := new(connSettings)
	h := &s.hub
	member := func(uid string, groups ...string) *Conn {
		c := &Conn{settings: s}
		x := c.ensureRare()
		x.uid, x.groups = uid, make(map[string]struct{})
		add(&h.users, uid, c)
		for _, group := range groups {
			x.groups[group] = struct{}{}
			add(&h.groups, group, c)
		}
		return c
	}
	ann, bob := member("ann", "all", "red"), member("bob", "all")
	h.forget(new(Conn)) // was part of nothing
	h.forget(ann)
	if len(h.groups) != 1 || len(h.groups["all"]) != 1 || len(h.users) != 1 {
		t.Errorf("got the groups %v and users %v, want bob in all alone", h.groups, h.users)
	}
	if got := ann.Groups(); !slices.Equal(got, []string{"all", "red"}) || ann.UID() != "ann" {
		t.Errorf("got groups %q and user %q of the closed connection, want all, red and ann", got, ann.UID())
	}
	bob.Leave("all")
	bob.Bind("")
	if len(h.groups) != 0 || len(h.users) != 0 {
		t.Errorf("got the groups %v and users %v, want none", h.groups, h.users)
	}
}
