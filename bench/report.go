package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// report is all that was measured; -json writes it as it is.
type report struct {
	System map[string]string `json:"system"`
	Rounds int               `json:"rounds"`
	Rows   []rowResult       `json:"rows"`
	Memory []memoryResult    `json:"memory,omitempty"`
}

// engineModules are the modules of the engines, whose versions are reported.
var engineModules = []string{
	"github.com/coder/websocket", "github.com/gobwas/ws", "github.com/gorilla/websocket",
	"github.com/lesismal/nbio", "github.com/lxzan/gws", "github.com/panjf2000/gnet/v2",
	"github.com/tidwall/evio", "github.com/valyala/fasthttp",
}

// systemInfo names what the figures depend on.
func systemInfo() map[string]string {
	info := map[string]string{"go": runtime.Version()}
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		info["kernel"] = unix.ByteSliceToString(u.Release[:])
	}
	if data, err := os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control"); err == nil {
		info["tcp congestion control"] = strings.TrimSpace(string(data))
	}
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				info["cpu"] = strings.TrimSpace(value)
				break
			}
		}
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if slices.Contains(engineModules, m.Path) {
				info[m.Path] = m.Version
			}
		}
	}
	return info
}

func (rep report) writeJSON(name string) error {
	data, err := json.MarshalIndent(rep, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(data, '\n'), 0o644)
}

// failures counts the runs that gave no figure.
func (rep report) failures() int {
	n := 0
	for _, r := range rep.Rows {
		for _, s := range r.Samples {
			if s.Error != "" {
				n++
			}
		}
	}
	for _, m := range rep.Memory {
		if m.Error != "" {
			n++
		}
	}
	return n
}

func (rep report) writeSystem(w io.Writer) {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(rep.System)) {
		parts = append(parts, key+" "+rep.System[key])
	}
	fmt.Fprintf(w, "%s; %d rounds\n", strings.Join(parts, "; "), rep.Rounds)
}

// of returns an engine's good samples.
func (r rowResult) of(engine string) []sample {
	return slices.DeleteFunc(slices.Clone(r.Samples), func(s sample) bool {
		return s.Engine != engine || s.Error != ""
	})
}

// each collects one figure of each sample.
func each(samples []sample, figure func(sample) float64) []float64 {
	var out []float64
	for _, s := range samples {
		out = append(out, figure(s))
	}
	return out
}

// cpuPerMessage is in microseconds.
func (s sample) cpuPerMessage() float64 {
	return float64(s.CPU) / float64(s.Messages) / 1e3
}

// ratio is the median over the rounds of engine's cost by base's cost in that
// same round, or 0 if there is no round with both.
func (r rowResult) ratio(engine, base string) float64 {
	inRound := map[int]float64{}
	for _, s := range r.of(base) {
		inRound[s.Round] = s.cpuPerMessage()
	}
	var ratios []float64
	for _, s := range r.of(engine) {
		if b := inRound[s.Round]; b > 0 {
			ratios = append(ratios, s.cpuPerMessage()/b)
		}
	}
	return median(ratios)
}

// write prints the row's table, and under it what went wrong.
func (r rowResult) write(w io.Writer, engines []string) {
	fmt.Fprintf(w, "\n### %s (`%s`)\n\n", r.Row.title(), r.Row.Name)
	head := []string{"CPU µs/msg, median", "best", "ratio to C", "ratio to " + r.Row.peer(), "allocs/msg",
		"kernel share", "server busy", "switches/s", "msgs/s", "p50 µs", "p99 µs", "p99.9 µs"}
	if r.Row.Network == "udp" {
		head = append(head, "lost")
	}
	fmt.Fprintf(w, "| engine | %s |\n|---|%s\n", strings.Join(head, " | "), strings.Repeat("--:|", len(head)))
	for _, engine := range r.Row.engines(engines) {
		r.writeEngine(w, engine)
	}
	for _, s := range r.Samples {
		if s.Error != "" {
			fmt.Fprintf(w, "\n%s failed in round %d: %s\n", s.Engine, s.Round+1, s.Error)
		}
	}
}

func (r rowResult) writeEngine(w io.Writer, engine string) {
	good := r.of(engine)
	if len(good) == 0 {
		return
	}
	var user, sys, lost int64
	for _, s := range good {
		user, sys, lost = user+s.User, sys+s.Sys, lost+s.Lost
	}
	cost := each(good, sample.cpuPerMessage)
	micros := func(figure func(sample) int64) string {
		return fmt.Sprintf("%.0f", median(each(good, func(s sample) float64 { return float64(figure(s)) / 1e3 })))
	}
	perSecond := func(count func(sample) int64) string {
		return fmt.Sprintf("%.0f", median(each(good, func(s sample) float64 { return float64(count(s)) / float64(s.Wall) * 1e9 })))
	}
	allocs := "–"
	if isGo(engine) {
		allocs = fmt.Sprintf("%.2f", median(each(good, func(s sample) float64 { return float64(s.Allocs) / float64(s.Messages) })))
	}
	cells := []string{
		engine,
		fmt.Sprintf("%.3f", median(cost)),
		fmt.Sprintf("%.3f", slices.Min(cost)),
		ratioCell(r.ratio(engine, "c")),
		ratioCell(r.ratio(engine, r.Row.peer())),
		allocs,
		percentCell(float64(sys), float64(user+sys)),
		percentCell(median(each(good, func(s sample) float64 { return float64(s.CPU) / float64(s.Wall) })), 1),
		perSecond(func(s sample) int64 { return s.Switches }),
		perSecond(func(s sample) int64 { return s.Messages }),
		micros(func(s sample) int64 { return s.P50 }),
		micros(func(s sample) int64 { return s.P99 }),
		micros(func(s sample) int64 { return s.P999 }),
	}
	if r.Row.Network == "udp" {
		cells = append(cells, fmt.Sprint(lost))
	}
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}

func ratioCell(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}

func percentCell(part, whole float64) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*part/whole)
}

// writeMemory prints a table of memory: medians over the rounds.
func writeMemory(w io.Writer, t memoryTable, results []memoryResult) {
	if len(results) == 0 {
		return
	}
	fmt.Fprintf(w, "\n### Memory of %d idle %s connections (`%s`)\n\n", results[0].Conns, t.title(), t.name)
	fmt.Fprintln(w, "| engine | RSS before, MiB | RSS with them, MiB | bytes per connection |")
	fmt.Fprintln(w, "|---|--:|--:|--:|")
	var labels []string
	for _, m := range results {
		if !slices.Contains(labels, m.Label) {
			labels = append(labels, m.Label)
		}
	}
	for _, label := range labels {
		var before, after, growth []float64
		for _, m := range results {
			if m.Label == label && m.Error == "" {
				before = append(before, float64(m.Before)/(1<<20))
				after = append(after, float64(m.After)/(1<<20))
				growth = append(growth, float64(m.After-m.Before)/float64(m.Conns))
			}
		}
		if len(growth) > 0 {
			fmt.Fprintf(w, "| %s | %.1f | %.1f | %.0f |\n", label, median(before), median(after), median(growth))
		}
	}
	for _, m := range results {
		if m.Error != "" {
			fmt.Fprintf(w, "\n%s failed in round %d: %s\n", m.Label, m.Round+1, m.Error)
		}
	}
}
