package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
)

func TestConnections(t *testing.T) {
	h := NewHandler(&fake{status: sample(), rows: 5000})
	for target, want := range map[string]int{
		"/connections": 1000, "/connections?limit=3": 3, "/connections?limit=0": 5000, "/connections?worker=other": 0,
		"/connections?pid=71&limit=2": 2, "/connections?peer=127.0.0.1:499": 11, "/connections?state=closing": 0, "/connections?idle=4.99s": 10,
		"/connections?queued=1": 0,
	} {
		w := get(t, h, target)
		var rows []control.Connection
		if err := json.Unmarshal(w.Body.Bytes(), &rows); err != nil || len(rows) != want {
			t.Errorf("%s: %d rows, want %d, %v", target, len(rows), want, err)
		}
	}
	for target, want := range map[string]string{
		"/connections?pid=x": "pid=x: not a number", "/connections?limit=-1": "limit=-1: not", "/connections?idle=5": "idle=5: not a duration",
		"/connections?idle=-5s&queued=a": "queued=a: not a number",
	} {
		if w := get(t, h, target); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

// An answer that is not all is seen to be cut.
func TestConnectionsBreakOff(t *testing.T) {
	s := httptest.NewServer(NewHandler(&fake{status: sample(), rows: 3, broken: errors.New("broken")}))
	defer s.Close()
	s.Config.ErrorLog = nil
	r, err := http.Get(s.URL + "/connections")
	if err == nil {
		_, err = io.ReadAll(r.Body)
		r.Body.Close()
	}
	if err == nil {
		t.Error("the answer came to a good end")
	}
}

func TestStack(t *testing.T) {
	f := &fake{status: sample()}
	h := NewHandler(f)
	for target, want := range map[string]string{
		"/stack": `stack of "" 0`, "/stack?worker=chat": `stack of "chat" 0`, "/stack?pid=73": `stack of "" 73`,
	} {
		if w := get(t, h, target); w.Code != 200 || w.Body.String() != want+"\n" {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	for _, target := range []string{"/stack?worker=x", "/stack?pid=5", "/stack?pid=x"} {
		if w := get(t, h, target); w.Code != 404 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	f.broken = errors.New("broken")
	if w := get(t, h, "/stack"); !strings.HasSuffix(w.Body.String(), "not all of it: broken\n") {
		t.Error(w.Body)
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("worker=chat&pid=3&idle=5m&limit=2")
	f.Add("pid=-1&idle=x")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		filter, err := parseFilter(r.URL.Query())
		if err == nil && (filter.PID < 0 || filter.Queued < 0 || filter.Limit < 0 || filter.Idle < 0) {
			t.Errorf("%q: %+v", query, filter)
		}
	})
}
