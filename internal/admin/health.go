package admin

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/workerman-go/workerman/internal/control"
)

// health answers whether the service lives: 503 means that a new start is the only hope.
func (h *handler) health(w http.ResponseWriter, r *http.Request) {
	if v, ok := h.look(w, r); ok {
		verdict(w, sickness(&v.status))
	}
}

// readiness answers whether the service should get traffic.
func (h *handler) readiness(w http.ResponseWriter, r *http.Request) {
	if v, ok := h.look(w, r); ok {
		verdict(w, unreadiness(&v.status))
	}
}

func verdict(w http.ResponseWriter, reasons []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if len(reasons) == 0 {
		fmt.Fprintln(w, "ok")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintln(w, strings.Join(reasons, "\n"))
}

// sickness is why nothing gets on any more: there are processes, and none of them answers. A
// worker without a process is no reason, as the master starts one.
func sickness(s *control.Status) []string {
	lost := 0
	for _, w := range s.Workers {
		for _, p := range w.Processes {
			if p.State != control.Lost {
				return nil
			}
			lost++
		}
	}
	if lost == 0 {
		return nil
	}
	return []string{fmt.Sprintf("none of %d processes answers", lost)}
}

// unreadiness is why new clients should go elsewhere.
func unreadiness(s *control.Status) (reasons []string) {
	if s.State == "starting" || s.State == "stopping" {
		reasons = append(reasons, "the service is "+s.State)
	}
	for _, w := range s.Workers {
		if w.Inside != "" || w.Count == 0 {
			continue // it is as ready as the worker that it is inside of
		}
		ready := 0
		for _, p := range w.Processes {
			if p.State == control.Ready {
				ready++
			}
		}
		if ready == 0 {
			reason := fmt.Sprintf("worker %s (%s) has no ready process", w.Name, w.Listen)
			if w.Backoff != "" {
				reason += ", as they keep dying; the next starts in " + w.Backoff
			}
			reasons = append(reasons, reason)
		}
	}
	return reasons
}
