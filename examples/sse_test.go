package examples

import (
	"strings"
	"syscall"
	"testing"
)

func TestSSE(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "sse", "-listen", "http://"+anyPort, "-clock", "0", "-heartbeat", "100ms")
		url := "http://" + p.address()
		if page := get(t, url); !strings.Contains(page, "new EventSource") {
			t.Errorf("the page is %q", page)
		}
		post := func(text string, status int) {
			t.Helper()
			if got := ask(t, "POST", url+"/news", "text="+text, "Content-Type: application/x-www-form-urlencoded"); got.StatusCode != status {
				t.Fatalf("posting %.20q: %s, want %d", text, got.Status, status)
			}
		}
		post("one", 204)
		live := listen(t, url+"/events")
		const welcome = ": welcome\nretry: 1000\n"
		expect := func(want ...string) {
			t.Helper()
			for _, want := range want {
				got := event(t, live)
				for got == ":\n" { // a heartbeat
					got = event(t, live)
				}
				if got != want {
					t.Fatalf("got %q, want %q", got, want)
				}
			}
		}
		one, two, three := "event: news\nid: 1\ndata: one\n", "event: news\nid: 2\ndata: two\n", "event: news\nid: 3\ndata: three\n"
		expect(welcome, one)
		post("two", 204)
		expect(two)
		if got := event(t, live); got != ":\n" {
			t.Errorf("got %q, want a heartbeat", got)
		}
		post("three", 204)
		expect(three)

		for id, missed := range map[string][]string{
			"2": {three}, "1": {two, three}, "7": {one, two, three}, "x": {one, two, three}, "-5": {one, two, three},
		} {
			live = listen(t, url+"/events", "Last-Event-ID: "+id)
			expect(append([]string{welcome}, missed...)...)
		}
		live = listen(t, url+"/events", "Last-Event-ID: 3")
		expect(welcome)
		post("", 422)
		post(strings.Repeat("x", 501), 422)
		post("a%0Ab", 204)
		expect("event: news\nid: 4\ndata: a\ndata: b\n")
		p.endsWell(syscall.SIGTERM)
	})
}

// Only the last news are remembered.
func TestSSEForgets(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "sse", "-listen", "http://"+anyPort, "-clock", "50ms")
		url := "http://" + p.address()
		for range 103 {
			ask(t, "POST", url+"/news", "text=x", "Content-Type: application/x-www-form-urlencoded")
		}
		live := listen(t, url+"/events", "Last-Event-ID: 1")
		event(t, live) // the welcome
		if got := event(t, live); got != "event: news\nid: 4\ndata: x\n" {
			t.Errorf("got %q, want number 4", got)
		}
		for got := ""; !strings.HasPrefix(got, "event: clock\ndata: "); {
			got = event(t, live)
		}
		p.endsWell(syscall.SIGTERM)
	})
}
