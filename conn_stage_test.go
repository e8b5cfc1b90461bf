package workerman

import (
	"slices"
	"testing"
)

// TestStages goes through every pair of stages: those that may follow each other, and those that
// are a mistake of this package.
func TestStages(t *testing.T) {
	names := map[stage]string{
		stageAccepted: "accepted", stageProxyHeader: "PROXY header", stageTLS: "TLS", stageWebSocket: "WebSocket",
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
