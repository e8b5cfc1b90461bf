package examples

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/websocket"
)

func TestPush(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "push", "-listen", "http://"+anyPort, "-inner", "http://"+anyPort)
		at := p.addresses(2)
		browsers, inner := at[0], "http://"+at[1]
		if page := get(t, "http://"+browsers+"/?uid=ann"); !strings.Contains(page, "new WebSocket") {
			t.Errorf("the page is %q", page)
		}
		ann, annToo, bob := openSocket(t, browsers, "/ws?uid=ann"), openSocket(t, browsers, "/ws?uid=ann"), openSocket(t, browsers, "/ws?uid=bob")
		for _, test := range []struct {
			query, form string
			status      int
			answer      string
			hear        []*socketPeer
		}{
			{"", "uid=ann&text=for+ann", 200, `{"sent":2}`, []*socketPeer{ann, annToo}},
			{"?uid=bob&text=for+bob", "", 200, `{"sent":1}`, []*socketPeer{bob}},
			{"?uid=nobody&text=x", "", 200, `{"sent":0}`, nil},
			{"", "text=for+all", 200, `{"sent":3}`, []*socketPeer{ann, annToo, bob}},
			{"", "uid=ann", 422, "text is missing\n", nil},
		} {
			got := ask(t, "POST", inner+"/push"+test.query, test.form, "Content-Type: application/x-www-form-urlencoded")
			if got.StatusCode != test.status || got.body != test.answer {
				t.Errorf("%s %s: %s %q, want %d %q", test.query, test.form, got.Status, got.body, test.status, test.answer)
			}
			_, text, _ := strings.Cut(test.query+test.form, "text=")
			for _, peer := range test.hear {
				peer.hears(strings.ReplaceAll(text, "+", " "))
			}
		}
		if got := ask(t, "GET", inner+"/push?text=x", ""); got.StatusCode != 405 || got.Header.Get("Allow") != "POST" {
			t.Errorf("GET is answered by %s", got.Status)
		}
		p.endsWell(syscall.SIGTERM)
		ann.closes(websocket.CloseGoingAway)
	})
}

func TestAuth(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "auth", "-listen", "websocket://"+anyPort, "-wait", testkit.Scale(700*time.Millisecond).String(), "-user", "ann:apple", "-user", "bob:banana")
		address := p.address()
		silent := openSocket(t, address, "/")
		ann := openSocket(t, address, "/?token=apple")
		ann.hears("Welcome, ann!")
		bob := openSocket(t, address, "/")
		bob.says("banana")
		bob.hears("Welcome, bob!")
		bob.says("hello")
		ann.hears("bob: hello")
		bob.hears("bob: hello")
		wrong := openSocket(t, address, "/")
		wrong.says("apples")
		wrong.closes(websocket.ClosePolicyViolation)
		if _, err := shakeHands(t, dial(t, "tcp", address).Conn, address, "/?token=apples"); err == nil || !strings.Contains(err.Error(), "401") {
			t.Errorf("a wrong token in the address gives %v", err)
		}
		silent.closes(4001)
		ann.stays(testkit.Scale(900 * time.Millisecond)) // who is known may be silent
		p.endsWell(syscall.SIGTERM)
	})
}

func TestAuthRefusesUsersWithoutToken(t *testing.T) {
	for _, user := range []string{"ann", "ann:", ":apple"} {
		p := start(t, "portable", "auth", "-user", user)
		p.says("NAME:TOKEN")
		if status := p.Status(); status != 2 {
			t.Errorf("-user %q: exit status %d, want 2", user, status)
		}
	}
}
