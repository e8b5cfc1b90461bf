package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What the page shows, as scripts.
const (
	asksName = `document.querySelector("#welcome").open`
	nameNote = `document.querySelector("#name-error").textContent`
	whereIAm = `[document.querySelector("#me-name").textContent, document.querySelector("#room-title").textContent, document.querySelector("#state").hidden].join()`
	messages = `[...document.querySelectorAll("#log .message:not(.pending) .text")].map(e => e.textContent).join("|")`
	onTheWay = `[...document.querySelectorAll("#log .pending .text")].map(e => e.textContent).join("|")`
	notes    = `[...document.querySelectorAll("#log .note")].map(e => e.textContent).join("|")`
	people   = `[...document.querySelectorAll("#people li span:last-child")].map(e => e.textContent).join("|")`
	typing   = `document.querySelector("#typing").textContent`
	state    = `document.querySelector("#state-text").textContent`
	limit    = `document.querySelector("#limit").textContent`
	field    = `document.querySelector("#text").value`
)

// introduces gives the name that the chat asks for.
func (p *page) introduces(name string) {
	p.t.Helper()
	p.becomes(asksName, "true")
	p.do(chromedp.SetValue(chromedp.CSS("#name"), name), chromedp.Focus(chromedp.CSS("#name")))
	p.enter()
}

// isIn waits until the chat has let the person in.
func (p *page) isIn(name, room string) {
	p.t.Helper()
	p.becomes(whereIAm, name+",# "+room+",true")
	p.becomes(asksName, "false")
}

// says types a message and sends it.
func (p *page) says(text string) {
	p.t.Helper()
	p.types("#text", text)
	p.enter()
	p.becomes(field, "")
}

// hears waits until these messages are on the page.
func (p *page) hears(want ...string) {
	p.t.Helper()
	p.becomes(onTheWay, "")
	p.becomes(messages, strings.Join(want, "|"))
}

func TestChat(t *testing.T) {
	address := freeAddress(t)
	at, url := serve(t, "chat", "-listen", "http://"+address), "http://"+address+"/"
	browser := launch(t)
	ann, bob := newPerson(t, browser, url), newPerson(t, browser, url)

	// Names belong to one person.
	ann.introduces("ann")
	ann.isIn("ann", "lobby")
	bob.introduces("ANN")
	bob.becomes(nameNote, "This name is taken. Try another.")
	bob.introduces("a b")
	bob.becomes(nameNote, "A name is 1 to 20 letters, digits, - and _.")
	bob.introduces("bob")
	bob.isIn("bob", "lobby")
	ann.becomes(people, "ann (you)|bob")
	ann.becomes(notes, "bob has joined")

	// Messages go both ways.
	said := []string{"hello bob 👋", "hello ann"}
	ann.says(said[0])
	bob.hears(said[0])
	bob.says(said[1])
	ann.hears(said...)
	ann.has(`[...document.querySelectorAll("#log .name")].map(e => e.textContent).join()`, "You,bob")

	// Typing is seen, and over with the message.
	bob.types("#text", "I think")
	ann.becomes(typing, "bob is typing…")
	bob.says(" so")
	said = append(said, "I think so")
	ann.hears(said...)
	ann.becomes(typing, "")

	// What looks like HTML stays text; only what is a web address becomes a link.
	said = append(said, `<img src=x onerror="document.title='owned'"><script>1</script> (https://example.com/?a=b&c), javascript:alert(1)`)
	ann.says(said[3])
	bob.hears(said...)
	bob.has(`[...document.querySelectorAll("#log img, #log script, #log a")].map(e => e.outerHTML).join()`,
		`<a href="https://example.com/?a=b&amp;c" target="_blank" rel="noopener noreferrer nofollow">https://example.com/?a=b&amp;c</a>`)

	// Too long a message is not sent, and a long word does not make the page wider.
	bob.do(chromedp.SetValue(chromedp.CSS("#text"), strings.Repeat("x", 2000)))
	bob.types("#text", "y")
	bob.enter()
	bob.becomes(limit, "1 character too long. The limit is 2000.")
	bob.says(kb.Backspace)
	said = append(said, strings.Repeat("x", 2000))
	ann.hears(said...)
	ann.has(`document.querySelector("#log").scrollWidth <= document.querySelector("#log").clientWidth`, "true")

	// A reload brings back the name and what was said, and is no news to the others.
	bob.do(chromedp.Reload())
	bob.isIn("bob", "lobby")
	bob.hears(said...)
	second := bob.newTab(url)
	second.isIn("bob", "lobby")
	second.says("from my other tab")
	said = append(said, "from my other tab")
	bob.hears(said...)
	bob.has(people, "ann|bob (you)")
	ann.hears(said...)
	ann.has(notes, "bob has joined")

	// Who reads further up is told how much is new.
	ann.runs(`document.querySelector("#log").scrollTop = 0`)
	ann.becomes(`document.querySelector("#log").scrollTop`, "0")
	second.says("news")
	said = append(said, "news")
	ann.becomes("document.title", "(1) #lobby – Chat")
	ann.do(chromedp.Click(chromedp.CSS("#newer")))
	ann.becomes("document.title", "#lobby – Chat")

	// Rooms are apart, and links.
	bob.types("#room-name", "Den")
	bob.enter()
	bob.isIn("bob", "den")
	bob.hears()
	bob.says("in the den")
	ann.becomes(`[...document.querySelectorAll("#rooms a")].map(e => e.href).join()`, url+"#lobby,"+url+"#den")
	ann.hears(said...)
	ann.do(chromedp.Click(chromedp.CSS(`#rooms a[href="#den"]`)))
	ann.isIn("ann", "den")
	ann.hears("in the den")

	// The server goes and comes again: the page goes on by itself, without a message twice.
	at.Kill()
	ann.becomes(state, "Connection lost. Reconnecting…")
	ann.says("said while it was away")
	ann.becomes(onTheWay, "said while it was away")
	serve(t, "chat", "-listen", "http://"+address)
	ann.isIn("ann", "den")
	bob.isIn("bob", "den")
	ann.hears("in the den", "said while it was away")
	bob.hears("in the den", "said while it was away")
	bob.says("and back")
	ann.hears("in the den", "said while it was away", "and back")
}
