package admin

import (
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// scrape reads metrics strictly, as samples by their name and labels.
func scrape(t *testing.T, text string) map[string]float64 {
	t.Helper()
	name := regexp.MustCompile(`^workerman_[a-z][a-z0-9_]*$`)
	line := regexp.MustCompile(`^([a-z0-9_]+)(\{[a-z]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z]+="(?:[^"\\\n]|\\[\\"n])*")*\})? ([^ ]+)$`)
	if !strings.HasSuffix(text, "\n") {
		t.Error("no line feed at the end")
	}
	samples, seen := make(map[string]float64), make(map[string]bool)
	current, kind, helped := "", "", ""
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if rest, ok := strings.CutPrefix(l, "# HELP "); ok {
			metric, help, _ := strings.Cut(rest, " ")
			if !name.MatchString(metric) || help == "" || !strings.HasSuffix(help, ".") {
				t.Errorf("help %q", l)
			}
			helped = metric
			continue
		}
		if rest, ok := strings.CutPrefix(l, "# TYPE "); ok {
			current, kind, _ = strings.Cut(rest, " ")
			if current != helped || seen[current] {
				t.Errorf("type %q after help of %s, seen before: %v", l, helped, seen[current])
			}
			if kind != "gauge" && kind != "counter" || strings.HasSuffix(current, "_total") != (kind == "counter") {
				t.Errorf("kind %q", l)
			}
			seen[current] = true
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil || m[1] != current {
			t.Errorf("sample %q under %s", l, current)
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if _, double := samples[m[1]+m[2]]; err != nil || double {
			t.Errorf("sample %q: %v, double: %v", l, err, double)
		}
		samples[m[1]+m[2]] = value
	}
	return samples
}

func TestMetrics(t *testing.T) {
	h := NewHandler(&fake{status: sample()})
	w := get(t, h, "/metrics")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	samples := scrape(t, w.Body.String())
	for name, want := range map[string]float64{
		`workerman_info{version="0.9.0",go="go1.26.8",program="/srv/chat",build="v1"}`: 1,
		`workerman_start_time_seconds`:           1772352000,
		`workerman_state{state="running"}`:       1,
		`workerman_state{state="stopping"}`:      0,
		`workerman_reloads_total`:                2,
		`workerman_last_reload_successful`:       1,
		`workerman_last_reload_duration_seconds`: 1.5,
		`workerman_worker_info{worker="inner",listen="text://0.0.0.0:2347",transport="",inside="chat"}`: 1,
		`workerman_processes_wanted{worker="chat"}`:                                                     2,
		`workerman_processes{worker="chat",state="ready"}`:                                              2,
		`workerman_processes{worker="chat",state="draining"}`:                                           1,
		`workerman_processes{worker="chat",state="lost"}`:                                               0,
		`workerman_exits_total{worker="chat",cause="exit"}`:                                             3,
		`workerman_exits_total{worker="chat",cause="end"}`:                                              4,
		`workerman_exits_total{worker="chat",cause="panic"}`:                                            1,
		`workerman_exits_total{worker="jobs",cause="panic"}`:                                            0,
		`workerman_moved_total{worker="chat"}`:                                                          9,
		`workerman_connections{worker="chat",slot="0"}`:                                                 30,
		`workerman_client_connections{worker="chat",slot="0"}`:                                          2,
		`workerman_accepted_total{worker="chat",slot="0"}`:                                              300,
		`workerman_refused_total{worker="chat",slot="0"}`:                                               2,
		`workerman_requests_total{worker="chat",slot="1"}`:                                              150000,
		`workerman_send_fail_total{worker="chat",slot="1"}`:                                             2,
		`workerman_panics_total{worker="chat",slot="1"}`:                                                3,
		`workerman_tls_failures_total{worker="chat",slot="1"}`:                                          4,
		`workerman_slow_callbacks_total{worker="chat",slot="1"}`:                                        6,
		`workerman_cpu_seconds_total{worker="chat",slot="0"}`:                                           15,
		`workerman_memory_bytes{worker="chat",slot="0"}`:                                                30 << 20,
		`workerman_goroutines{worker="chat",slot="0"}`:                                                  30,
		`workerman_timers{worker="chat",slot="0"}`:                                                      10,
		`workerman_loops{worker="chat",slot="1"}`:                                                       2,
		`workerman_loop_lag_seconds{worker="chat",slot="0"}`:                                            0.02,
		`workerman_loop_busy_seconds{worker="chat",slot="1"}`:                                           3,
		`workerman_connections{worker="jobs",slot="0"}`:                                                 0,
		`workerman_process_start_time_seconds{worker="chat",slot="0"}`:                                  1772352001,
	} {
		if got, ok := samples[name]; !ok || got != want {
			t.Errorf("%s is %v (there: %v), want %v", name, got, ok, want)
		}
	}
	for name := range samples {
		if strings.Contains(name, `"7`) || strings.Contains(name, "pid") {
			t.Errorf("label without bound: %s", name)
		}
		if strings.Contains(name, "inner") && !strings.HasPrefix(name, "workerman_worker_info") {
			t.Errorf("a worker inside of another has figures: %s", name)
		}
	}
}

// Prometheus' own checker has the last word, where it is installed.
func TestMetricsForPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian: apt-get install prometheus)")
	}
	check := exec.Command(tool, "check", "metrics")
	check.Stdin = get(t, NewHandler(&fake{status: sample()}), "/metrics").Body
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// A service that has nothing yet is no reason for a bad page.
func TestMetricsOfNothing(t *testing.T) {
	samples := scrape(t, get(t, NewHandler(&fake{}), "/metrics").Body.String())
	if samples["workerman_start_time_seconds"] != 0 {
		t.Error(samples)
	}
}

// A name can hold everything, and several workers may have the same.
func TestMetricsOfStrangeNames(t *testing.T) {
	strange := "a\"b\\c\nd\xffe{} 王"
	status := control.Status{Program: strange, Workers: []control.Worker{
		{Name: strange, Count: 1}, {Name: "none", Listen: "tcp://a:1", Count: 1}, {Name: "none", Listen: "tcp://a:2", Count: 1},
		{Name: "none", Listen: "tcp://a:2", Count: 1}, {Name: "none tcp://a:2", Count: 1},
	}}
	samples := scrape(t, get(t, NewHandler(&fake{status: status}), "/metrics").Body.String())
	for _, label := range []string{`a\"b\\c\nd` + "\uFFFD" + `e{} 王`, "none tcp://a:1", "none tcp://a:2", "none tcp://a:2 2", "none tcp://a:2 3"} {
		if _, ok := samples[`workerman_processes_wanted{worker="`+label+`"}`]; !ok {
			t.Errorf("no worker %s in %q", label, slices.Sorted(maps.Keys(samples)))
		}
	}
}

func TestExitKind(t *testing.T) {
	for cause, want := range map[string]string{
		"exit code 0": "end", "exit code 1": "exit", "exit code 02": "exit", "panic: oh (signal 11)x": "panic", "fatal error: all goroutines are asleep": "panic",
		"killed (signal 9): by hand or for want of memory": "killed", "killed by the master: not ready in time": "master",
		"segmentation fault (signal 11)": "signal", "other causes": "other", "": "panic",
	} {
		if got := exitKind(cause); got != want || !slices.Contains(exitKinds, got) {
			t.Errorf("%q is %q, want %q", cause, got, want)
		}
	}
}

func FuzzExposition(f *testing.F) {
	f.Add("chat", 1.5)
	f.Add("a\"b\\c\nd\xff", -1e300)
	f.Fuzz(func(t *testing.T, label string, value float64) {
		var e exposition
		e.metric("x", gauge, "Help.")
		e.sample(value, "worker", label, "slot", "0")
		e.sample(value)
		for name, got := range scrape(t, string(e.text)) {
			if got != value && value == value {
				t.Errorf("%s is %v, want %v", name, got, value)
			}
		}
	})
}

// Counters go on where the ended process stood, whatever happens to processes.
func TestLedgerOnlyGrows(t *testing.T) {
	born := time.Unix(1000, 0)
	process := func(pid int, requests uint64) control.Process {
		return control.Process{PID: pid, State: control.Ready, Started: born, Figures: control.Figures{Requests: requests, CPU: float64(requests)}}
	}
	lost := process(1, 0)
	lost.State = control.Lost
	reused := process(2, 3)
	reused.Started = born.Add(time.Hour)
	var l ledger
	for i, step := range []struct {
		processes []control.Process
		want      uint64
	}{
		{[]control.Process{process(1, 10)}, 10},
		{[]control.Process{process(1, 15)}, 15},
		{[]control.Process{lost}, 15},
		{[]control.Process{process(1, 20), process(2, 1)}, 21}, // a reload
		{[]control.Process{process(2, 5)}, 25},
		{nil, 25},                              // it crashed
		{[]control.Process{reused}, 28},        // another with the same pid
		{[]control.Process{process(3, 0)}, 28}, // and its successor
	} {
		slots := l.enter([]control.Worker{{Name: "chat", Count: 1, Processes: step.processes}}, []string{"chat"})
		if len(slots) != 1 || slots[0].total.requests != step.want || slots[0].total.cpu != float64(step.want) {
			t.Errorf("step %d: %+v, want %d", i, slots, step.want)
		}
	}
	if slots := l.enter(nil, nil); len(slots) != 0 || len(l.accounts) != 0 {
		t.Errorf("a worker that is gone is kept: %v", slots)
	}
}

func TestSlotsAreInOrder(t *testing.T) {
	var l ledger
	slots := l.enter([]control.Worker{{Name: "z", Count: 12}, {Name: "a", Count: 1, Processes: []control.Process{{Slot: 3}}}}, []string{"z", "a"})
	var got []string
	for _, s := range slots {
		got = append(got, s.worker+" "+strconv.Itoa(s.slot))
	}
	if text := strings.Join(got, ","); text != "z 0,z 1,z 2,z 3,z 4,z 5,z 6,z 7,z 8,z 9,z 10,z 11,a 0,a 3" {
		t.Error(text)
	}
}
