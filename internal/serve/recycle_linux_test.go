package serve

import (
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

func TestRecycleNamesTheLimit(t *testing.T) {
	for _, test := range []struct {
		name  string
		limit Recycle
		have  control.Figures
		old   bool
		want  string
	}{
		{"no limit", Recycle{}, control.Figures{Requests: 1 << 40, Memory: 1 << 40}, true, ""},
		{"below all", Recycle{Requests: 10, Memory: 10 << 20, Age: time.Hour}, control.Figures{Requests: 9, Memory: 10<<20 - 1}, false, ""},
		{"requests", Recycle{Requests: 10}, control.Figures{Requests: 12}, false, "10 requests"},
		{"memory", Recycle{Memory: 10 << 20}, control.Figures{Memory: 11 << 20}, false, "10 MiB of memory"},
		{"age", Recycle{Age: time.Hour}, control.Figures{}, true, "age 1h0m0s"},
		{"requests before age", Recycle{Requests: 1, Age: time.Hour}, control.Figures{Requests: 1}, true, "1 requests"},
	} {
		if got := test.limit.reached(&test.have, test.old); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
