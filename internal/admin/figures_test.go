package admin

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// notMeasured are the figures without a metric, and why.
var notMeasured = map[string]string{
	"Rate": "rate(workerman_requests_total[1m]) tells it for any span",
}

// isCounter reports whether a figure only grows, as the comment of control.Figures says.
func isCounter(figure reflect.StructField) bool {
	return figure.Type.Kind() == reflect.Uint64 || figure.Name == "CPU"
}

// figureOf is a process that has nothing but one figure.
func figureOf(figure reflect.StructField, pid, value int) control.Process {
	p := control.Process{PID: pid, State: control.Ready, Started: time.Unix(1000, 0)}
	f := reflect.ValueOf(&p.Figures).Elem().FieldByIndex(figure.Index)
	if figure.Name == "Loops" {
		p.Loops = make([]control.Loop, value)
	} else {
		f.Set(reflect.ValueOf(value).Convert(f.Type()))
	}
	return p
}

// Each figure of a process has a metric, or it is said why not. A counter's goes through the ledger:
// it stays when a process gives no answer or ends. A gauge is what the living processes tell.
func TestMetricOfEachFigure(t *testing.T) {
	known := map[string]bool{}
	for figure := range reflect.TypeFor[control.Figures]().Fields() {
		known[figure.Name] = true
		lost := control.Process{PID: 1, State: control.Lost, Started: time.Unix(1000, 0)}
		var l ledger
		// values are those of the metrics that differ from zero.
		values := func(processes ...control.Process) map[string]float64 {
			list := map[string]float64{}
			slots := l.enter([]control.Worker{{Name: "chat", Count: 1, Processes: processes}}, []string{"chat"})
			for _, m := range slotMetrics {
				if v := m.value(&slots[0]); v != 0 {
					list[m.name] = v
				}
			}
			return list
		}
		both := values(figureOf(figure, 1, 3), figureOf(figure, 2, 5))
		if why, exempt := notMeasured[figure.Name]; exempt {
			if len(both) != 0 || why == "" {
				t.Errorf("%s: got the metrics %v, want none: it is in notMeasured, for the reason %q", figure.Name, both, why)
			}
			continue
		}
		if len(both) != 1 {
			t.Errorf("%s: got the metrics %v, want one: add it to slotMetrics, or say in notMeasured why not", figure.Name, both)
			continue
		}
		for i, m := range slotMetrics {
			if both[m.name] == 0 {
				continue
			}
			want, wantKind := [4]float64{8, 5, 0, 2}, gauge
			if isCounter(figure) {
				want, wantKind = [4]float64{8, 8, 8, 10}, counter
			}
			got := [4]float64{
				both[m.name], values(lost, figureOf(figure, 2, 5))[m.name], values()[m.name], values(figureOf(figure, 3, 2))[m.name],
			}
			if got != want || slotMetrics[i].kind != wantKind {
				t.Errorf("%s: got the %s %s with %v (two processes, one lost, none, another), want a %s with %v",
					figure.Name, m.kind, m.name, got, wantKind, want)
			}
		}
	}
	for name := range notMeasured {
		if !known[name] {
			t.Errorf("notMeasured: got %s, want figures that there are", name)
		}
	}
}

// The dashboard reads each figure by its name in JSON. None is exempt.
func TestDashboardReadsEachFigure(t *testing.T) {
	var script strings.Builder
	for _, name := range []string{"web/dashboard.js", "web/history.js"} {
		text, err := web.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		script.Write(text)
	}
	for figure := range reflect.TypeFor[control.Figures]().Fields() {
		name, _, _ := strings.Cut(figure.Tag.Get("json"), ",")
		if name == "" || !regexp.MustCompile(`\b(p|process|row)\.`+name+`\b`).MatchString(script.String()) {
			t.Errorf("%s: got no p.%s, process.%[2]s or row.%[2]s in dashboard.js, want that the page shows it", figure.Name, name)
		}
	}
}

// The guide to observability names each metric of a slot.
func TestMetricsAreExplained(t *testing.T) {
	text, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for line := range strings.Lines(string(text)) {
		if cell, isRow := strings.CutPrefix(line, "| `"); isRow {
			cell, _, _ = strings.Cut(cell, " | ")
			named = append(named, strings.Split(strings.Trim(cell, "`"), "`, `")...)
		}
	}
	for _, m := range slotMetrics {
		if !slices.Contains(named, m.name) {
			t.Errorf("docs/observability.md: got no row for %s, want one", m.name)
		}
	}
}
