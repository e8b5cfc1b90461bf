package admin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/workerman-go/workerman/internal/console"
	"github.com/workerman-go/workerman/internal/control"
)

const (
	// rowLimit is how many connections are shown if the query does not say.
	rowLimit = 1000
	// rowTime bounds how long a reader may take for them.
	rowTime = 10 * time.Minute
)

// connections serves what the command connections --json prints. The query has the command's
// filters.
func (h *handler) connections(w http.ResponseWriter, r *http.Request) {
	f, err := parseFilter(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodHead {
		return
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(rowTime))
	rows, lines := io.Pipe()
	defer rows.Close() // ends the source when there are enough
	go func() { lines.CloseWithError(h.source.Connections(r.Context(), f, lines)) }()
	if console.ConnectionsJSON(w, control.ReadConnections(rows), f.Limit) != nil {
		panic(http.ErrAbortHandler) // part of them is out: net/http cuts the answer, so that nobody takes it for all
	}
}

// parseFilter reads the filters of a query.
func parseFilter(q url.Values) (f control.Filter, err error) {
	number := func(name string, otherwise int) int {
		text := q.Get(name)
		if text == "" {
			return otherwise
		}
		n, bad := strconv.Atoi(text)
		if bad != nil || n < 0 {
			err = errors.Join(err, fmt.Errorf("%s=%s: not a number from 0 on", name, text))
		}
		return n
	}
	f = control.Filter{Worker: q.Get("worker"), Peer: q.Get("peer"), State: q.Get("state")}
	f.PID, f.Queued, f.Limit = number("pid", 0), number("queued", 0), number("limit", rowLimit)
	if text := q.Get("idle"); text != "" {
		idle, bad := time.ParseDuration(text)
		if bad != nil || idle < 0 {
			err = errors.Join(err, fmt.Errorf("idle=%s: not a duration, as 90s or 5m", text))
		}
		f.Idle = idle.Milliseconds()
	}
	return f, err
}

// stack serves what the command stack prints.
func (h *handler) stack(w http.ResponseWriter, r *http.Request) {
	v, ok := h.look(w, r)
	if !ok {
		return
	}
	worker, pid := r.URL.Query().Get("worker"), 0
	if worker != "" {
		found := v.worker(worker)
		if found == nil {
			http.Error(w, "no worker "+worker, http.StatusNotFound)
			return
		}
		worker = found.Name
	}
	if text := r.URL.Query().Get("pid"); text != "" {
		pid, _ = strconv.Atoi(text)
		if v.find(pid) == nil {
			http.Error(w, "no process "+text, http.StatusNotFound)
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r.Method == http.MethodHead {
		return
	}
	if err := h.source.Stack(r.Context(), worker, pid, w); err != nil {
		fmt.Fprintln(w, "not all of it:", err)
	}
}
