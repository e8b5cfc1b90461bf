package console

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

// notSummed are the figures that the line Summary does not add up, and why.
var notSummed = map[string]string{
	"Goroutines":  "has no column: it is in the metrics and on the dashboard",
	"Accepted":    "has no column: it is in the metrics and on the dashboard",
	"Refused":     "has no column: it is in the metrics and on the dashboard",
	"Panics":      "has no column: it is in the metrics and on the dashboard",
	"TLSFailures": "has no column: it is in the metrics and on the dashboard",
	"Slow":        "has no column: it is in the metrics and on the dashboard",
	"Loops":       "have the column lag, which is the longest of a process and no sum",
}

// summedAs are the figures that the line Summary has by another name.
var summedAs = map[string]func(sum processRow) float64{
	"Outgoing": func(sum processRow) float64 { return float64(sum.Connections) },
	"Rate":     func(sum processRow) float64 { return sum.rate },
	"CPU":      func(sum processRow) float64 { return sum.load }, // percent, in a life of 100 s
}

// Each figure of a process is added up in the line Summary, or it is said why not.
func TestSummaryOfEachFigure(t *testing.T) {
	known := map[string]bool{}
	for field := range reflect.TypeFor[control.Figures]().Fields() {
		known[field.Name] = true
		now := time.Unix(1000, 0)
		process := func(value float64) control.Process {
			p := control.Process{State: control.Ready, Started: now.Add(-100 * time.Second)}
			if f := reflect.ValueOf(&p.Figures).Elem().FieldByIndex(field.Index); f.Kind() != reflect.Slice {
				f.Set(reflect.ValueOf(value).Convert(f.Type()))
			} else {
				f.Set(reflect.MakeSlice(f.Type(), int(value), int(value)))
			}
			return p
		}
		s := control.Status{Now: now, Workers: []control.Worker{{Processes: []control.Process{process(3), process(5)}}}}
		sum := summary(processRows(&s, nil))
		if why, exempt := notSummed[field.Name]; exempt {
			if why == "" || summedAs[field.Name] != nil || !reflect.ValueOf(sum.Figures).IsZero() {
				t.Errorf("%s: got the sum %+v, want none: it is in notSummed, for the reason %q", field.Name, sum.Figures, why)
			}
			continue
		}
		got := 0.0
		if of := summedAs[field.Name]; of != nil {
			got = of(sum)
		} else if f := reflect.ValueOf(sum.Figures).FieldByIndex(field.Index); f.CanConvert(reflect.TypeFor[float64]()) {
			got = f.Convert(reflect.TypeFor[float64]()).Float()
		}
		if got != 8 {
			t.Errorf("%s: got the sum %v of 3 and 5, want 8: add it up in summary, or say in notSummed why not", field.Name, got)
		}
	}
	for name := range notSummed {
		if !known[name] {
			t.Errorf("notSummed: got %s, want figures that there are", name)
		}
	}
	for name := range summedAs {
		if !known[name] {
			t.Errorf("summedAs: got %s, want figures that there are", name)
		}
	}
}

// The guide to operation explains each column of the process table, and no other.
func TestColumnsAreExplained(t *testing.T) {
	text, err := os.ReadFile("../../docs/operation.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## What `status` shows\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var explained, columns []string
	for line := range strings.Lines(section) {
		if cell, isRow := strings.CutPrefix(line, "| `"); isRow {
			cell, _, _ = strings.Cut("`"+cell, " | ")
			for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
				explained = append(explained, m[1])
			}
		}
	}
	for _, c := range processColumns() {
		columns = append(columns, c.title)
	}
	slices.Sort(explained)
	slices.Sort(columns)
	if !slices.Equal(explained, columns) {
		t.Errorf("docs/operation.md, What status shows: got rows for\n%q, want\n%q", explained, columns)
	}
}
