package master

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// Server answers commands on a socket that only the owner may use.
type Server struct {
	supervisor *Supervisor
	server     *http.Server
	describe   func(*control.Status) // adds what the Supervisor does not know
}

// NewServer makes a server for s. describe completes a status.
func NewServer(s *Supervisor, describe func(*control.Status)) *Server {
	v := &Server{supervisor: s, describe: describe}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", v.status)
	mux.HandleFunc("GET /connections", v.connections)
	mux.HandleFunc("GET /stack", v.stack)
	mux.HandleFunc("POST /stop", v.stop)
	mux.HandleFunc("POST /reload", v.reload)
	v.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	return v
}

// Serve serves until Shutdown.
func (v *Server) Serve(ln net.Listener) { v.server.Serve(ln) }

// Shutdown lets commands that are being answered end.
func (v *Server) Shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	v.server.Shutdown(ctx)
	v.server.Close()
}

// Status is the status of everything.
func (v *Server) Status(ctx context.Context) control.Status {
	st := v.supervisor.Status(ctx)
	v.describe(&st)
	return st
}

func (v *Server) status(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v.Status(r.Context()))
}

func (v *Server) connections(w http.ResponseWriter, r *http.Request) {
	var f control.Filter
	if err := json.Unmarshal([]byte(r.FormValue("filter")), &f); err != nil && r.FormValue("filter") != "" {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/tab-separated-values")
	w.Header().Set("Trailer", faultTrailer)
	if err := v.supervisor.Connections(r.Context(), f, w); err != nil {
		w.Header().Set(faultTrailer, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// faultTrailer is the trailer that tells what a list of connections lacks.
const faultTrailer = "X-Fault"

func (v *Server) stack(w http.ResponseWriter, r *http.Request) {
	pid, _ := strconv.Atoi(r.FormValue("pid"))
	err := v.supervisor.Stack(r.Context(), r.FormValue("worker"), pid, w)
	if errors.Is(err, ErrNoProcess) {
		http.Error(w, err.Error(), http.StatusNotFound)
	}
}

// events writes the lines of an answer that takes time.
type events struct {
	mu sync.Mutex
	w  http.ResponseWriter
}

func (e *events) send(ev control.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := http.NewResponseController(e.w)
	out.SetWriteDeadline(time.Now().Add(eventPatience))
	json.NewEncoder(e.w).Encode(ev)
	out.Flush()
}

// eventPatience is how long a command may leave its events unread, as one that was stopped in
// its terminal does: the master goes on without it.
const eventPatience = time.Second

func (v *Server) stop(w http.ResponseWriter, r *http.Request) {
	e := &events{w: w}
	v.supervisor.Stop(r.FormValue("graceful") != "", "command stop", func(left int) { e.send(control.Event{Left: left}) })
	e.send(control.Event{Done: true})
}

func (v *Server) reload(w http.ResponseWriter, r *http.Request) {
	e := &events{w: w}
	err := v.supervisor.Reload(r.FormValue("graceful") != "", func(now control.Reload) { e.send(control.Event{Reload: &now}) })
	last := control.Event{Done: true}
	if err != nil {
		last.Error = err.Error()
	}
	e.send(last)
}
