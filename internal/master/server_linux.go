package master

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
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

	mu     sync.Mutex // guards what follows
	path   string
	socket *net.UnixListener // nil when it is over
	file   fs.FileInfo       // the socket in the file system, as it was made
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

// Listen serves on the socket beside a pid file, whose lock the caller holds, until Shutdown.
func (v *Server) Listen(pidFile string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.path = SocketPath(pidFile)
	return v.listen()
}

func (v *Server) listen() error {
	ln, err := ListenSocket(v.path)
	if err != nil {
		return err
	}
	v.socket = ln
	v.file, _ = os.Lstat(v.path)
	go v.server.Serve(ln)
	return nil
}

// Keep opens the socket again if somebody has removed or replaced its file.
func (v *Server) Keep() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.socket == nil || v.inPlace() {
		return nil
	}
	old := v.socket
	if err := v.listen(); err != nil {
		return err
	}
	return old.Close()
}

// inPlace reports whether the file at the path is the socket's. The number of a removed file
// may have been given to another one, the time as well has not.
func (v *Server) inPlace() bool {
	there, err := os.Lstat(v.path)
	return err == nil && v.file != nil && os.SameFile(there, v.file) && there.ModTime().Equal(v.file.ModTime())
}

// Shutdown removes the socket and lets commands that are being answered end.
func (v *Server) Shutdown() {
	v.mu.Lock()
	if v.inPlace() {
		os.Remove(v.path)
	}
	v.socket = nil
	v.mu.Unlock()
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
	http.NewResponseController(w).Flush() // the first process may take its time
	if err := v.supervisor.Connections(r.Context(), f, flushed{w}); err != nil {
		w.Header().Set(faultTrailer, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// faultTrailer is the trailer that tells what a list of connections lacks.
const faultTrailer = "X-Fault"

func (v *Server) stack(w http.ResponseWriter, r *http.Request) {
	pid, _ := strconv.Atoi(r.FormValue("pid"))
	err := v.supervisor.Stack(r.Context(), r.FormValue("worker"), pid, flushed{w})
	if errors.Is(err, ErrNoProcess) {
		http.Error(w, err.Error(), http.StatusNotFound)
	}
}

// events writes the lines of an answer that takes time, as long as the client reads them: a
// command that was suspended by Ctrl+Z must not hold the master up. The last line is repeated
// each second, so that whoever reads knows that the master lives.
type events struct {
	w    http.ResponseWriter
	done chan struct{}
	over sync.WaitGroup

	mu   sync.Mutex // guards what follows
	last control.Event
	gone bool // the client reads no more
}

// eventPatience is how long the client of a command may leave a line unread.
const eventPatience = time.Second

func newEvents(w http.ResponseWriter) *events {
	e := &events{w: w, done: make(chan struct{})}
	e.send(control.Event{})
	e.over.Go(e.repeat)
	return e
}

func (e *events) send(ev control.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = ev
	e.write()
}

// write writes the last event. With e.mu held.
func (e *events) write() {
	if e.gone {
		return
	}
	out := http.NewResponseController(e.w)
	out.SetWriteDeadline(time.Now().Add(eventPatience))
	err := json.NewEncoder(e.w).Encode(e.last)
	if err == nil {
		err = out.Flush()
	}
	e.gone = err != nil
}

func (e *events) repeat() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.mu.Lock()
			e.write()
			e.mu.Unlock()
		case <-e.done:
			return
		}
	}
}

// end sends the last event.
func (e *events) end(last control.Event) {
	close(e.done)
	e.over.Wait()
	last.Done = true
	e.send(last)
}

func (v *Server) stop(w http.ResponseWriter, r *http.Request) {
	e := newEvents(w)
	v.supervisor.Stop(r.FormValue("graceful") != "", "command stop", func(left int) { e.send(control.Event{Left: left}) })
	e.end(control.Event{})
}

func (v *Server) reload(w http.ResponseWriter, r *http.Request) {
	e := newEvents(w)
	err := v.supervisor.Reload(r.FormValue("graceful") != "", func(now control.Reload) { e.send(control.Event{Reload: &now}) })
	var last control.Event
	if err != nil {
		last.Error = err.Error()
	}
	e.end(last)
}

// flushed passes on at once what is written, for answers whose parts come one after the other.
type flushed struct{ http.ResponseWriter }

func (w flushed) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	http.NewResponseController(w.ResponseWriter).Flush()
	return n, err
}
