package workerman

import (
	"fmt"
	"io"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"
)

// announce says that the service runs: a table on a terminal, log lines elsewhere.
func (m *Master) announce(workers []*Worker) {
	if m.Logger == nil && isTerminal(os.Stdout) {
		writeBanner(os.Stdout, workers, os.Getenv("NO_COLOR") == "")
		return
	}
	for _, w := range workers {
		w.service().log.Info("worker started", "listen", w.listenText(), "transport", w.service().transport(), "processes", 1, "loops", len(w.service().loops))
	}
}

// listenText is the address with the port that is really open.
func (w *Worker) listenText() string {
	s := w.service()
	if !s.listens {
		return "none"
	}
	scheme, _, _ := strings.Cut(w.address, "://")
	if a := s.boundAddr(); a != nil {
		return scheme + "://" + a.String()
	}
	return w.address
}

const bannerWidth = 80

// writeBanner prints the table of workers.
func writeBanner(out io.Writer, workers []*Worker, color bool) {
	head := []string{"proto", "user", "worker", "listen", "processes", "loops", "state"}
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	rows := make([][]string, 0, len(workers))
	for _, w := range workers {
		rows = append(rows, []string{w.service().transport(), name, w.name(), w.listenText(), "1", strconv.Itoa(len(w.service().loops)), "[OK]"})
	}
	widths := make([]int, len(head))
	for i, h := range head {
		widths[i] = utf8.RuneCountInString(h)
		for _, row := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	paint := func(code, text string) string {
		if !color {
			return text
		}
		return "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	line := func(cells []string) string {
		var b strings.Builder
		for i, cell := range cells {
			b.WriteString(cell)
			if i < len(cells)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+4))
			}
		}
		return b.String()
	}
	fmt.Fprintln(out, rule(" WORKERMAN "))
	fmt.Fprintf(out, "%-24s%s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintln(out, rule(" WORKERS "))
	fmt.Fprintln(out, paint("47;30", line(head)))
	for _, row := range rows {
		text := line(row)
		fmt.Fprintln(out, strings.TrimSuffix(text, "[OK]")+paint("32", "[OK]"))
	}
	fmt.Fprintln(out, rule(""))
	fmt.Fprintln(out, "Press Ctrl+C to stop. Start success.")
}

// rule is a dashed line with a title in the middle.
func rule(title string) string {
	left := (bannerWidth - len(title)) / 2
	return strings.Repeat("-", left) + title + strings.Repeat("-", bannerWidth-left-len(title))
}
