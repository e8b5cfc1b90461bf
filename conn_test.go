package workerman

import (
	"slices"
	"testing"

	"github.com/workerman-go/workerman/internal/handover"
)

// TestStages goes through every pair of stages: those that may follow each other, and those that
// are a mistake of this package.
func TestStages(t *testing.T) {
	names := map[stage]string{
		stageAccepted: "accepted", stageProxyHeader: "PROXY header", stageTLS: "TLS", stageHandshake: "WebSocket",
		stageReady: "ready", stageRefused: "refused", stageConnecting: "connecting",
	}
	want := map[string][]string{
		"accepted":     {"PROXY header", "TLS", "WebSocket", "ready", "connecting"},
		"PROXY header": {"TLS", "WebSocket", "ready"},
		"TLS":          {"WebSocket", "ready", "refused"},
		"WebSocket":    {"ready"},
		"connecting":   {"ready"},
	}
	if len(follows) != len(names) {
		t.Fatalf("%d stages have followers, want %d", len(follows), len(names))
	}
	for from, name := range names {
		for to, next := range names {
			c := new(Conn)
			c.at.Store(uint32(from))
			went := func() (ok bool) {
				defer func() { ok = recover() == nil }()
				c.enter(to)
				return
			}()
			if allowed := slices.Contains(want[name], next); went != allowed {
				t.Errorf("from %s to %s: went is %v, want %v", name, next, went, allowed)
			}
			if at := c.stage(); went && at != to || !went && at != from {
				t.Errorf("from %s to %s: the stage is %s", name, next, names[at])
			}
		}
	}
}

// TestDialogTypes checks the table of dialogs: each language that a worker's connections may speak
// is one that a dialog restores, and each scheme and alias leads to the dialog that has it.
func TestDialogTypes(t *testing.T) {
	languages := make(map[handover.Language]int)
	for _, d := range dialogTypes {
		languages[d.language]++
		if d.restore == nil {
			t.Errorf("%v: got no restore", d.schemes)
		}
	}
	for kind, d := range dialogTypes {
		for _, language := range d.languages {
			if languages[language] != 1 {
				t.Errorf("%v: got %d dialogs of language %d, want 1", d.schemes, languages[language], language)
			}
		}
		for _, scheme := range slices.Concat(d.schemes, d.secure) {
			e, err := parseAddress(scheme+"://127.0.0.1:80", "")
			if secure := slices.Contains(d.secure, scheme); err != nil || e.dialog != dialogKind(kind) || e.secure != secure {
				t.Errorf("%s: got dialog %d, secure %v, %v, want %d, %v", scheme, e.dialog, e.secure, err, kind, secure)
			}
		}
	}
}
