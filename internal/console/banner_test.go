package console

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestBanner(t *testing.T) {
	for _, width := range []int{0, 60} {
		var b strings.Builder
		if err := Banner(&b, sample(), Look{Width: width}); err != nil {
			t.Fatal(err)
		}
		golden(t, fmt.Sprintf("banner-%d", width), regexp.MustCompile(`(go1\.26\.8   )\w+/\w+`).ReplaceAllString(b.String(), "${1}linux/amd64"))
	}
	s := sample()
	s.Daemon = false
	var b strings.Builder
	if err := Banner(&b, s, Look{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(b.String(), "\nPress Ctrl+C to stop. Start success.\n") {
		t.Error(b.String())
	}
}
