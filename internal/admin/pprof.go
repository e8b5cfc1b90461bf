package admin

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// profileAnswer is how long an answer may take besides the time that a profile looks.
const profileAnswer = 30 * time.Second

// profiling knows which processes are being profiled for a time: the runtime allows one
// profile of a kind.
type profiling struct {
	mu   sync.Mutex
	busy map[profiled]bool
}

type profiled struct {
	pid  int
	name string
}

// begin reports whether nobody is at it; then the caller has to call end.
func (p *profiling) begin(what profiled) (end func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[what] {
		return nil, false
	}
	if p.busy == nil {
		p.busy = make(map[profiled]bool)
	}
	p.busy[what] = true
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.busy, what)
	}, true
}

// profile serves a profile of the master, or of the process that the query names by its pid
// or by its worker and slot.
func (h *handler) profile(w http.ResponseWriter, r *http.Request) {
	name, query := r.PathValue("name"), r.URL.Query()
	kind, q, err := parseProfile(name, query)
	if errors.Is(err, errUnknownProfile) {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	v, ok := h.look(w, r)
	if !ok {
		return
	}
	pid, err := v.profiled(query)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	answer := &profileWriter{ResponseWriter: w, name: name, text: q.debug > 0 || name == "cmdline"}
	if r.Method == http.MethodHead {
		answer.begin()
		return
	}
	if q.seconds > 0 {
		end, ok := h.profiling.begin(profiled{pid, name})
		if !ok {
			http.Error(w, fmt.Sprintf("a profile of process %d is being taken, try again later", pid), http.StatusConflict)
			return
		}
		defer end()
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(q.seconds + profileAnswer))
	if pid == v.status.PID {
		err = kind.write(r.Context(), answer, q)
	} else {
		err = h.source.Profile(r.Context(), pid, name, query, answer)
	}
	switch {
	case err == nil:
	case answer.begun:
		panic(http.ErrAbortHandler) // net/http cuts the answer, so that nobody takes it for all
	default:
		http.Error(w, "no profile: "+err.Error(), http.StatusBadGateway)
	}
}

// profiled is the pid of the process that a query names, the master's if it names none.
func (v *view) profiled(query url.Values) (pid int, err error) {
	switch pid, worker := query.Get("pid"), query.Get("worker"); {
	case pid != "":
		n, err := strconv.Atoi(pid)
		if err != nil || n != v.status.PID && v.find(n) == nil {
			return 0, fmt.Errorf("no process %s", pid)
		}
		return n, nil
	case worker != "":
		slot := 0
		if text := query.Get("slot"); text != "" {
			if slot, err = strconv.Atoi(text); err != nil {
				return 0, fmt.Errorf("no slot %s", text)
			}
		}
		found := v.worker(worker)
		if found == nil {
			return 0, fmt.Errorf("no worker %s", worker)
		}
		var p *control.Process // the ready one, or else the newest
		for i := range found.Processes {
			if other := &found.Processes[i]; other.Slot == slot && (p == nil || p.State != control.Ready) {
				p = other
			}
		}
		if p == nil {
			return 0, fmt.Errorf("worker %s has no process in slot %d", worker, slot)
		}
		return p.PID, nil
	}
	return v.status.PID, nil
}

// profileWriter sends the header with the first byte, as there may be an error instead.
type profileWriter struct {
	http.ResponseWriter
	name  string
	text  bool // for people
	begun bool
}

func (w *profileWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	w.Header().Set("Content-Type", "application/octet-stream")
	if w.text {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	} else {
		w.Header().Set("Content-Disposition", `attachment; filename="`+w.name+`"`)
	}
}

func (w *profileWriter) Write(b []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(b)
}

var profilesPage = template.Must(template.ParseFS(web, "web/profiles.html"))

// profiles lists what can be profiled.
func (h *handler) profiles(w http.ResponseWriter, r *http.Request) {
	v, ok := h.look(w, r)
	if !ok {
		return
	}
	pid, err := v.profiled(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	type choice struct {
		Title   string
		PID     int
		Current bool
	}
	type kind struct{ Name, Text, Query string }
	data := struct {
		PID     int
		Title   string
		Choices []choice
		Kinds   []kind
	}{PID: pid}
	add := func(title string, p int) {
		data.Choices = append(data.Choices, choice{title, p, p == pid})
		if p == pid {
			data.Title = title
		}
	}
	add("master", v.status.PID)
	for i, worker := range v.status.Workers {
		for _, p := range worker.Processes {
			add(v.names[i]+" "+strconv.Itoa(p.Slot), p.PID)
		}
	}
	for _, k := range profileKinds {
		query := ""
		if k.name == "goroutine" {
			query = "&debug=2"
		}
		data.Kinds = append(data.Kinds, kind{k.name, k.text, query})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	profilesPage.Execute(w, data)
}
