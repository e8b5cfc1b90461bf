package browser

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/workerman-go/workerman/internal/admin"
	"github.com/workerman-go/workerman/internal/control"
)

// What the dashboard shows, as scripts.
const (
	shownLive    = `document.querySelector("#live").dataset.state`
	shownNotices = `[...document.querySelectorAll("#notices .notice span")].map(e => e.textContent).join("|")`
	shownPIDs    = `[...document.querySelectorAll("#processes tbody tr:first-child")].map(e => e.cells[2].textContent).join()`
	shownBusy    = `[...document.querySelectorAll("#processes tbody.busy .more")].map(e => e.textContent).join("|")`
	pageColor    = `getComputedStyle(document.body).backgroundColor`
)

// figure is a script with the value of a card.
func figure(card string) string {
	return fmt.Sprintf(`document.querySelector("#%s .value").textContent`, card)
}

// service is a made-up service behind the admin pages.
type service struct {
	mu     sync.Mutex
	status control.Status
}

func (s *service) Status(context.Context) (control.Status, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	status.Now = time.Now()
	status.Workers = slices.Clone(status.Workers)
	for i, w := range status.Workers {
		w.Processes = slices.Clone(w.Processes)
		for j := range w.Processes { // each uses a quarter of a CPU
			w.Processes[j].CPU = status.Now.Sub(status.Started).Seconds() / 4
		}
		status.Workers[i] = w
	}
	return status, nil
}

func (s *service) Connections(context.Context, control.Filter, io.Writer) error { return nil }

func (s *service) Stack(context.Context, string, int, io.Writer) error { return nil }

func (s *service) Profile(context.Context, int, string, url.Values, io.Writer) error { return nil }

// change changes what the pages show next.
func (s *service) change(fn func(*control.Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(&s.status)
}

func newService() *service {
	started := time.Now().Add(-50 * time.Hour)
	process := func(pid, slot int, connections int64) control.Process {
		return control.Process{PID: pid, Slot: slot, State: control.Ready, Started: started, Figures: control.Figures{
			Memory: connections * 1000, Goroutines: 7, Connections: connections, Accepted: 2 * uint64(connections),
			Requests: 1000, Rate: 10, Timers: 2, Loops: []control.Loop{{Lag: 1}},
		}}
	}
	return &service{status: control.Status{
		Version: "0.9.0", Go: "go1.26", Program: "/srv/<b>chat", Build: "v1.4.2", PID: 4711, User: "www", State: "running", Started: started, CPUs: 2,
		Connected: 41204,
		Workers: []control.Worker{
			{Name: "chat", Listen: "websocket://0.0.0.0:2346", User: "www", Count: 3, Loops: 1, Processes: []control.Process{
				process(4712, 0, 30000), process(4713, 1, 11000), process(4714, 2, 204)}},
			{Name: "<i>none</i>", Listen: "none", User: "www", Count: 1, Loops: 1, Processes: []control.Process{process(4801, 0, 0)}},
		},
	}}
}

// admit serves the admin pages of s at address until it is called.
func admit(t *testing.T, s *service, address string) (stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: admin.NewHandler(s)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(ln)
	}()
	stop = func() {
		server.Close()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func TestDashboard(t *testing.T) {
	s := newService()
	address := freeAddress(t)
	stop := admit(t, s, address)
	p := newPage(t, launch(t), "http://"+address+"/")

	// The figures are there, and what looks like HTML is text.
	p.becomes(shownLive, "live")
	p.becomes(figure("connections"), "41,204")
	p.has(figure("rate"), "40")
	p.has(figure("lag"), "1 ms")
	p.has(figure("memory"), "39.3 MiB")
	p.has(figure("health"), "4 of 4")
	p.has(`document.querySelector("#program").textContent`, "<b>chat")
	p.has(`document.querySelector("#about").textContent.startsWith("v1.4.2 · up 2 d 2 h · no reload · master 4711 of www")`, "true")
	p.has(`document.querySelector("#processes tbody:last-child th").textContent`, "<i>none</i>")
	p.has(`document.querySelector("#exits-panel").hidden`, "true")
	p.has(shownNotices, "")

	// The next ones are shown, and the lines go on.
	s.change(func(status *control.Status) { status.Connected = 82000 })
	p.becomes(figure("connections"), "82,000")
	p.becomes(`document.querySelector("#connections .top").textContent`, "100,000")
	p.becomes(`document.querySelector("#connections .curve").getAttribute("d").split("L").length > 2`, "true")
	p.becomes(`document.querySelector("#connections figure").getAttribute("aria-label")`, "Connections over the last 10 min: now 82,000, least 41,204, most 82,000")
	p.becomes(`Math.abs(parseFloat(document.querySelector("#cpu .value").textContent) - 100) < 10`, "true")

	// The pointer asks for a moment.
	p.runs(`document.querySelector("#connections figure").dispatchEvent(new PointerEvent("pointermove", { clientX: 9999 }))`)
	p.has(`document.querySelector("#connections output").textContent.startsWith("82,000 · ")`, "true")
	p.runs(`document.querySelector("#connections figure").dispatchEvent(new PointerEvent("pointerleave"))`)
	p.has(`document.querySelector("#connections output").hidden`, "true")

	// Rows are sorted by what is clicked, and stay so.
	p.has(shownPIDs, "4712,4713,4714,4801")
	click := func(title string) {
		t.Helper()
		p.runs(fmt.Sprintf(`[...document.querySelectorAll("#processes thead button")].find(e => e.textContent === %s).click()`, quote(title)))
	}
	click("PID")
	p.has(shownPIDs, "4801,4714,4713,4712")
	p.has(`document.querySelector("#processes [aria-sort]").getAttribute("aria-sort")`, "descending")
	click("PID")
	p.has(`document.querySelector("#processes [aria-sort]").getAttribute("aria-sort")`, "ascending")
	click("PID")
	p.has(`document.querySelector("#processes [aria-sort]")`, "null")
	click("Connections")
	s.change(func(status *control.Status) { status.Workers[0].Processes[2].Connections = 99999 })
	p.becomes(shownPIDs, "4714,4712,4713,4801")

	// What holds a loop is seen, with its place.
	s.change(func(status *control.Status) {
		status.Workers[0].Processes[1].Loops = []control.Loop{{Lag: 12400, Busy: 12400, Callback: "OnMessage", Place: "main.search (/srv/search.go:31)"}}
	})
	const held = "held for 12.4 s by OnMessage at main.search (/srv/search.go:31)"
	p.becomes(shownBusy, held)
	p.has(shownNotices, "chat 1 (process 4713) is "+held)
	p.has(`document.querySelector("#announcement").textContent`, "chat 1 (process 4713) is "+held)
	p.has(`document.querySelector("#notices a").getAttribute("href")`, "stack?pid=4713")
	p.has(`document.querySelector("#lag").classList.contains("warn")`, "true")
	s.change(func(status *control.Status) { status.Workers[0].Processes[1].Loops = []control.Loop{{Lag: 1}} })
	p.becomes(shownBusy, "")
	p.has(shownNotices, "")

	// A reload, a process that does not answer, exits.
	s.change(func(status *control.Status) {
		status.State, status.Reload = "reloading", &control.Reload{Total: 8, Replaced: 3, Moved: 41204, Draining: 17}
		status.Workers[0].Processes[0].State = control.Lost
		status.Workers[1].Exits = []control.Exit{{Cause: "exit code 2", Count: 3, Last: time.Now().Add(-50 * time.Hour)}}
		status.Workers[1].Backoff = "2s"
	})
	p.becomes(shownNotices, "Reloading: 3 of 8 processes replaced, 41,204 connections moved, 17 draining"+
		"|The processes of <i>none</i> keep dying: their starts are slowed down, the next is in 2s|chat 0 (process 4712) does not answer")
	p.has(`document.querySelector("progress").value + "/" + document.querySelector("progress").max`, "3/8")
	p.has(`document.querySelector("#state").textContent`, "reloading")
	p.has(`document.querySelector("#exits tbody").innerText.replace(/\s+/g, " ")`, "<i>none</i> exit code 2 3 2 d 2 h ago")
	p.has(figure("health"), "3 of 4")
	s.change(func(status *control.Status) {
		status.State, status.Reloads, status.Reload = "running", 1, &control.Reload{Total: 8, Replaced: 8, Moved: 41204, Took: 1.5, Done: true}
		status.Workers[0].Processes[0].State = control.Ready
		status.Workers[1].Backoff = ""
	})
	p.becomes(shownNotices, "")
	p.has(`document.querySelector("#about").textContent.includes("1 reload, the last with 8 replaced and 41,204 connections moved in 1.5 s")`, "true")

	// Light and dark, and narrow.
	light := p.value(pageColor)
	p.features("prefers-color-scheme", "dark")
	if dark := p.value(pageColor); dark == light {
		t.Errorf("dark mode has the same colour %s", dark)
	}
	p.do(chromedp.EmulateViewport(360, 740))
	p.has(`document.documentElement.scrollWidth <= innerWidth`, "true")

	// It rests while nobody looks.
	p.runs(`Object.defineProperty(document, "hidden", { value: true, configurable: true }); document.dispatchEvent(new Event("visibilitychange"))`)
	p.has(shownLive, "paused")
	p.runs(`delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))`)
	p.becomes(shownLive, "live")

	// It says so when the service is away, and goes on by itself.
	stop()
	p.becomes(shownLive, "lost")
	p.has(`document.querySelector("#live").textContent.startsWith("Connection lost ")`, "true")
	p.has(`document.body.classList.contains("lost")`, "true")
	admit(t, s, address)
	p.becomes(shownLive, "live")
	p.has(`document.body.classList.contains("lost")`, "false")

	// The list of profiles has the same look.
	p.do(chromedp.Navigate("http://" + address + "/debug/pprof/?worker=chat&slot=1"))
	p.becomes(`document.querySelector("h1").textContent`, "Profiles of chat 1")
	p.has(`document.querySelector("tbody a").getAttribute("href")`, "profile?pid=4713")
	p.has(`getComputedStyle(document.querySelector(".panel")).borderRadius`, "14px")
}

// features has the browser prefer something.
func (p *page) features(name, value string) {
	p.t.Helper()
	set := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: name, Value: value}}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, set); err != nil {
		p.t.Fatal(err)
	}
}
