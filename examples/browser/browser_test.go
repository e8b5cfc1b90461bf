package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/workerman-go/workerman/internal/testkit"
)

// patience is how long a test waits for what should happen soon.
var patience = testkit.Patience

func TestMain(m *testing.M) {
	os.Exit(runWithBrowser(m))
}

func runWithBrowser(m *testing.M) int {
	if chromium() == "" {
		fmt.Println("skipped: no Chromium is installed (Debian: apt-get install chromium)")
		if os.Getenv("CI") == "true" {
			return 1
		}
		return 0
	}
	return testkit.Main(m)
}

// chromium is the path of the browser, "" if there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// server is a running example.
type server struct {
	*testkit.Program
	address string
}

// listening matches the log line of a worker that has started.
var listening = regexp.MustCompile(`listen=http://(\S+) .*\n`)

// serve starts an example and waits until its worker listens.
func serve(t *testing.T, program string, args ...string) *server {
	t.Helper()
	programs := testkit.BuildIn(t, "..", "./"+program)
	s := &server{Program: testkit.Start(t, exec.Command(filepath.Join(programs, program), args...))}
	t.Cleanup(func() {
		s.Kill()
		for _, line := range s.Output.Lines("panic") {
			t.Error(line)
		}
	})
	s.Await("where it listens", func(output string) bool {
		found := listening.FindStringSubmatch(output)
		if found != nil {
			s.address = found[1]
		}
		return found != nil
	})
	return s
}

// launch starts a browser for a test.
func launch(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocated, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	browser, _ := chromedp.NewContext(allocated)
	t.Cleanup(func() { chromedp.Cancel(browser) }) // waits for the end of the process
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	return browser
}

// page is a tab.
type page struct {
	t   *testing.T
	ctx context.Context
}

// newPerson opens a tab that shares no storage with others.
func newPerson(t *testing.T, browser context.Context, url string) *page {
	t.Helper()
	return newPage(t, browser, url, chromedp.WithNewBrowserContext())
}

// newTab opens a further tab of the same person.
func (p *page) newTab(url string) *page {
	p.t.Helper()
	return newPage(p.t, p.ctx, url)
}

// newPage opens a tab. A script that fails or that breaks the page's own rules of security
// fails the test.
func newPage(t *testing.T, parent context.Context, url string, options ...chromedp.ContextOption) *page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	p := &page{t: t, ctx: ctx}
	console := chromedp.Console(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for message, err := range console {
			if err != nil {
				return
			}
			if message.IsException() || message.Source == "security" {
				t.Errorf("console: %v", message)
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-read
	})
	p.do(chromedp.Navigate(url))
	return p
}

// do runs actions.
func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// types sends keys to an element.
func (p *page) types(selector chromedp.CSS, keys string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(selector, keys))
}

// enter presses the key as a keyboard does: its character comes unless a script prevents it.
func (p *page) enter() {
	p.t.Helper()
	press := input.DispatchKeyEventParams{
		Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", Text: "\r",
		WindowsVirtualKeyCode: 13, NativeVirtualKeyCode: 13,
	}
	release := press
	release.Type, release.Text = input.DispatchKeyEventTypeKeyUp, ""
	for _, event := range []input.DispatchKeyEventParams{press, release} {
		if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, event); err != nil {
			p.t.Fatal(err)
		}
	}
}

// runs runs JavaScript.
func (p *page) runs(script string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](script))
}

// has expects that a script has this value.
func (p *page) has(script, want string) {
	p.t.Helper()
	if got := p.value(script); got != want {
		p.t.Errorf("%s is %q, want %q", script, got, want)
	}
}

func (p *page) value(script string) string {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("String("+script+")"))
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

// becomes waits until a script has this value.
func (p *page) becomes(script, want string) {
	p.t.Helper()
	condition := fmt.Sprintf("String(%s) === %s", script, quote(want))
	_, err := chromedp.Run(p.ctx, chromedp.Poll[chromedp.Void](condition,
		chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience)))
	if errors.Is(err, chromedp.ErrPollingTimeout) {
		p.t.Fatalf("%s is %q, want %q; the page shows:\n%s", script, p.value(script), want, p.value("document.body.innerText"))
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// quote writes a string for JavaScript.
func quote(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // no string is like that
	}
	return string(data)
}

// freeAddress is one that a server can be started on again.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
