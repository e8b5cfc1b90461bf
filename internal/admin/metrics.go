package admin

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// metrics serves the figures to Prometheus.
func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	v, ok := h.look(w, r)
	if !ok {
		return
	}
	var e exposition
	e.service(&v.status)
	e.workers(v)
	e.slots(v.slots)
	w.Header().Set("Content-Type", expositionType)
	w.Write(e.text)
}

// service are the metrics of the whole.
func (e *exposition) service(s *control.Status) {
	e.metric("info", gauge, "The service: version of workerman, of Go and of the program.")
	e.sample(1, "version", s.Version, "go", s.Go, "program", s.Program, "build", s.Build)
	e.metric("start_time_seconds", gauge, "When the master started, in seconds since 1970.")
	e.sample(seconds(s.Started))
	e.metric("state", gauge, "What the master is doing: 1 for that state.")
	for _, state := range []string{"starting", "running", "reloading", "stopping"} {
		e.sample(truth(s.State == state), "state", state)
	}
	e.metric("reloads_total", counter, "Reloads since the start of the master.")
	e.sample(float64(s.Reloads))
	if r := s.Reload; r != nil && r.Done {
		e.metric("last_reload_successful", gauge, "Whether the last reload replaced all processes.")
		e.sample(truth(r.Error == ""))
		e.metric("last_reload_time_seconds", gauge, "When the last reload began, in seconds since 1970.")
		e.sample(seconds(r.Began))
		e.metric("last_reload_duration_seconds", gauge, "How long the last reload took.")
		e.sample(r.Took)
	}
}

// workers are the metrics by worker.
func (e *exposition) workers(v *view) {
	each := func(fn func(name string, w *control.Worker)) {
		for i := range v.status.Workers {
			fn(v.names[i], &v.status.Workers[i])
		}
	}
	own := func(fn func(name string, w *control.Worker)) {
		each(func(name string, w *control.Worker) {
			if w.Inside == "" {
				fn(name, w)
			}
		})
	}
	e.metric("worker_info", gauge, "A worker: where it listens, and the worker in whose processes it is served, if it has none itself.")
	each(func(name string, w *control.Worker) {
		e.sample(1, "worker", name, "listen", w.Listen, "transport", w.Transport, "inside", w.Inside)
	})
	e.metric("processes_wanted", gauge, "Processes that the worker is to have.")
	own(func(name string, w *control.Worker) { e.sample(float64(w.Count), "worker", name) })
	e.metric("processes", gauge, "Processes by state. A lost one does not answer.")
	own(func(name string, w *control.Worker) {
		for _, state := range processStates {
			n := 0
			for _, p := range w.Processes {
				if p.State == state {
					n++
				}
			}
			e.sample(float64(n), "worker", name, "state", state)
		}
	})
	e.metric("exits_total", counter, "Ends of processes that nobody asked for, by kind of cause.")
	own(func(name string, w *control.Worker) {
		count := make(map[string]int)
		for _, exit := range w.Exits {
			count[exitKind(exit.Cause)] += exit.Count
		}
		for _, kind := range exitKinds {
			e.sample(float64(count[kind]), "worker", name, "cause", kind)
		}
	})
	e.metric("backoff_seconds", gauge, "How long the next start of a process is put off because they keep dying.")
	own(func(name string, w *control.Worker) {
		wait, _ := time.ParseDuration(w.Backoff) // "" is none
		e.sample(wait.Seconds(), "worker", name)
	})
	e.metric("moved_total", counter, "Connections handed over to a successor.")
	own(func(name string, w *control.Worker) { e.sample(float64(w.Moved), "worker", name) })
}

var processStates = []string{control.Starting, control.Ready, control.Draining, control.Stopping, control.Lost}

// exitKinds are the kinds of causes. The words of a cause are no label: those of a panic may
// be different each time.
var exitKinds = []string{"end", "exit", "panic", "killed", "master", "signal", "other"}

// exitKind is the kind of a cause, which is one of exitKinds.
func exitKind(cause string) string {
	has := func(prefix string) bool { return strings.HasPrefix(cause, prefix) }
	switch {
	case cause == "exit code 0":
		return "end"
	case has("exit code "):
		return "exit"
	case has("killed by the master"): // it was not ready, or did not end, in time
		return "master"
	case has("killed"):
		return "killed"
	case cause == "other causes": // stands for those too many to be kept
		return "other"
	case strings.HasSuffix(cause, ")") && strings.Contains(cause, "(signal "):
		return "signal"
	}
	return "panic" // the words of the runtime
}

// slotMetrics are the metrics by slot, over all processes in it.
var slotMetrics = []struct {
	name, kind, help string
	value            func(*slot) float64
}{
	{"connections", gauge, "Connections that were accepted and are open.",
		sum(func(p *control.Process) float64 { return float64(p.Connections) })},
	{"client_connections", gauge, "Connections of clients, to other servers.",
		sum(func(p *control.Process) float64 { return float64(p.Outgoing) })},
	{"accepted_total", counter, "Connections accepted.", func(s *slot) float64 { return float64(s.total.accepted) }},
	{"refused_total", counter, "Connections refused for a limit.", func(s *slot) float64 { return float64(s.total.refused) }},
	{"requests_total", counter, "Messages and requests received.", func(s *slot) float64 { return float64(s.total.requests) }},
	{"send_fail_total", counter, "Messages refused because the send buffer was full, and datagrams that the system did not take.", func(s *slot) float64 { return float64(s.total.sendFail) }},
	{"panics_total", counter, "Panics in callbacks.", func(s *slot) float64 { return float64(s.total.panics) }},
	{"tls_failures_total", counter, "TLS handshakes that failed.", func(s *slot) float64 { return float64(s.total.tlsFailures) }},
	{"slow_callbacks_total", counter, "Callbacks that held their loop for longer than Master.SlowCallback.", func(s *slot) float64 { return float64(s.total.slow) }},
	{"cpu_seconds_total", counter, "CPU time used.", func(s *slot) float64 { return s.total.cpu }},
	{"memory_bytes", gauge, "Resident memory.", sum(func(p *control.Process) float64 { return float64(p.Memory) })},
	{"goroutines", gauge, "Goroutines.", sum(func(p *control.Process) float64 { return float64(p.Goroutines) })},
	{"timers", gauge, "Timers that are set.", sum(func(p *control.Process) float64 { return float64(p.Timers) })},
	{"loops", gauge, "Event loops.", sum(func(p *control.Process) float64 { return float64(len(p.Loops)) })},
	{"loop_lag_seconds", gauge, "The longest turn of a loop in the last seconds: how long events had to wait.",
		longest(func(l *control.Loop) int64 { return l.Lag })},
	{"loop_busy_seconds", gauge, "How long the callback that runs now has held its loop, 0 if not for long.",
		longest(func(l *control.Loop) int64 { return l.Busy })},
}

func (e *exposition) slots(list []slot) {
	for _, m := range slotMetrics {
		e.metric(m.name, m.kind, m.help)
		for i := range list {
			e.sample(m.value(&list[i]), "worker", list[i].worker, "slot", strconv.Itoa(list[i].slot))
		}
	}
	e.metric("process_start_time_seconds", gauge, "When the newest process started, in seconds since 1970.")
	for _, s := range list {
		if len(s.processes) > 0 {
			newest := slices.MaxFunc(s.processes, func(a, b *control.Process) int { return a.Started.Compare(b.Started) })
			e.sample(seconds(newest.Started), "worker", s.worker, "slot", strconv.Itoa(s.slot))
		}
	}
}

// sum adds a figure over the processes of a slot.
func sum(of func(*control.Process) float64) func(*slot) float64 {
	return func(s *slot) (n float64) {
		for _, p := range s.processes {
			n += of(p)
		}
		return n
	}
}

// longest is the maximum over the loops of a slot, of milliseconds in seconds.
func longest(of func(*control.Loop) int64) func(*slot) float64 {
	return func(s *slot) float64 {
		var ms int64
		for _, p := range s.processes {
			for i := range p.Loops {
				ms = max(ms, of(&p.Loops[i]))
			}
		}
		return float64(ms) / 1000
	}
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
