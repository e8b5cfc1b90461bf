// Package admin is the pages about a running service: a dashboard, metrics for Prometheus,
// health for load balancers, and profiles. All of them only read.
package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// handler serves all pages of a service.
type handler struct {
	viewer
	profiling profiling
}

// NewHandler returns the pages about s. It keeps what ended processes had counted, so a
// service has one for all its time.
func NewHandler(s Source) http.Handler {
	h := &handler{viewer: viewer{source: s}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", h.metrics)
	mux.HandleFunc("GET /healthz", h.health)
	mux.HandleFunc("GET /readyz", h.readiness)
	mux.HandleFunc("GET /status", h.showStatus)
	mux.HandleFunc("GET /connections", h.connections)
	mux.HandleFunc("GET /stack", h.stack)
	mux.HandleFunc("GET /debug/pprof/{$}", h.profiles)
	mux.HandleFunc("GET /debug/pprof/{name}", h.profile)
	mux.HandleFunc("GET /{$}", page("index.html"))
	for _, name := range pageFiles {
		mux.HandleFunc("GET /"+name, page(name))
	}
	return guard(mux)
}

// look takes a view for an answer. If there is none, it has answered.
func (h *handler) look(w http.ResponseWriter, r *http.Request) (*view, bool) {
	v, err := h.view(r.Context(), time.Now())
	if err != nil {
		http.Error(w, "no status: "+err.Error(), http.StatusServiceUnavailable)
		return nil, false
	}
	return v, true
}

// showStatus serves what the command status --json prints.
func (h *handler) showStatus(w http.ResponseWriter, r *http.Request) {
	v, ok := h.look(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.Encode(&v.status)
}

// find is the process with that pid, nil if there is none.
func (v *view) find(pid int) *control.Process {
	for i := range v.status.Workers {
		for j := range v.status.Workers[i].Processes {
			if p := &v.status.Workers[i].Processes[j]; p.PID == pid {
				return p
			}
		}
	}
	return nil
}

// worker is the worker of that name, nil if there is none.
func (v *view) worker(name string) *control.Worker {
	for i := range v.status.Workers {
		if w := &v.status.Workers[i]; w.Name == name || v.names[i] == name {
			return w
		}
	}
	return nil
}
