package filemonitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// monitor watches, builds and asks for reloads. It knows nothing of workers.
type monitor struct {
	tree     *tree
	interest *interest
	builder  *builder // nil: nothing is built
	quiet    time.Duration
	out      io.Writer
	reload   func() error

	changed map[string]effect // files since the last action
	begun   chan outcome      // gets the outcome of the build that goes on; nil if none does
	cancel  context.CancelFunc
	broken  bool // the last build failed
	pending bool // something has changed that no reload has taken up
	unbuilt bool // the last build was given up
}

// outcome is how an action ended.
type outcome struct {
	wanted  effect
	took    time.Duration
	changed bool    // there is a new program
	embeds  []embed // nil if unknown
	err     error
}

// newMonitor prepares a monitor; run watches from then on what has changed since.
func newMonitor(o Options, reload func() error) (*monitor, error) {
	o, err := o.resolve()
	if err != nil {
		return nil, err
	}
	m := &monitor{
		interest: &interest{dir: o.Dir, exclude: o.Exclude, files: o.Files, noBuild: o.NoBuild},
		quiet:    o.Quiet, out: o.Output, reload: reload, changed: make(map[string]effect),
	}
	if !o.NoBuild {
		command, err := goCommand()
		if err != nil {
			return nil, err
		}
		m.builder = &builder{command, o.Dir, o.Package, o.Flags, o.program}
	}
	m.tree, err = newTree(o.Dirs, m.interest)
	return m, err
}

// run works until ctx ends.
func (m *monitor) run(ctx context.Context) {
	defer m.tree.close()
	if m.builder != nil { // what is embedded now; a source that is wrong is told of by the build
		m.interest.embeds, _ = m.builder.embeds(ctx)
	}
	timer := time.NewTimer(m.quiet)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			m.abort()
			return
		case e := <-m.tree.watcher.Events:
			if m.note(e) {
				timer.Reset(m.quiet)
			}
		case err := <-m.tree.watcher.Errors:
			if errors.Is(err, fsnotify.ErrEventOverflow) && m.builder != nil { // anything may have changed
				m.changed[m.builder.dir] = builds
				timer.Reset(m.quiet)
			} else {
				m.say("%v", err)
			}
		case <-timer.C:
			m.act(ctx)
		case out := <-m.begun:
			m.begun = nil
			m.finish(out)
		}
	}
}

// note remembers the files of an event, and reports whether one matters.
func (m *monitor) note(e fsnotify.Event) (matters bool) {
	err := m.tree.event(e, func(file string) {
		if what := m.interest.file(file); what != nothing {
			m.changed[file] = what
			matters = true
		}
	})
	if err != nil {
		m.say("%v", err)
	}
	return matters
}

// act begins what the changes call for, and gives up what goes on.
func (m *monitor) act(ctx context.Context) {
	m.abort()
	what := nothing
	if m.unbuilt {
		what, m.unbuilt = builds, false
	}
	for _, e := range m.changed {
		what = max(what, e)
		m.pending = m.pending || e == reloads
	}
	todo := "reloading"
	if what == builds {
		todo = "building"
	}
	m.say("%s changed, %s", m.names(), todo)
	clear(m.changed)
	if what == reloads {
		m.finish(outcome{wanted: reloads})
		return
	}
	ctx, m.cancel = context.WithCancel(ctx)
	begun := make(chan outcome, 1)
	m.begun = begun
	go func() {
		out := outcome{wanted: builds}
		start := time.Now()
		out.changed, out.err = m.builder.build(ctx)
		out.took = time.Since(start)
		if out.err == nil {
			out.embeds, _ = m.builder.embeds(ctx)
		}
		begun <- out
	}()
}

// abort gives up the build that goes on and waits for its end. The next action builds what it
// would have built.
func (m *monitor) abort() {
	if m.begun == nil {
		return
	}
	m.cancel()
	out := <-m.begun
	m.begun = nil
	m.pending = m.pending || out.changed // it was just over
	m.unbuilt = out.err != nil
}

// finish reports an action and asks for the reload.
func (m *monitor) finish(out outcome) {
	if m.cancel != nil {
		m.cancel()
	}
	if out.err != nil {
		m.broken = true
		var wrong *buildError
		if errors.As(out.err, &wrong) {
			m.say("DOES NOT COMPILE, the program goes on as it is\n%s\n%s", wrong.text, strings.Repeat("-", 60))
		} else {
			m.say("cannot build: %v", out.err)
		}
		return
	}
	if out.embeds != nil {
		m.interest.embeds = out.embeds
	}
	m.pending = m.pending || out.changed
	if out.wanted == builds {
		text := "built"
		if m.broken {
			text = "mended, built"
		}
		text += fmt.Sprintf(" in %.1f s", out.took.Seconds())
		if m.pending {
			m.say("%s, reloading", text)
		} else {
			m.say("%s: it is the same program", text)
		}
		m.broken = false
	}
	if !m.pending {
		return
	}
	if err := m.reload(); err != nil {
		m.say("cannot reload: %v: start the program again by hand", err)
		return
	}
	m.pending = false
}

// names lists the files that have changed, some of them.
func (m *monitor) names() string {
	const shown = 3
	var list []string
	for file := range m.changed {
		if rel, err := filepath.Rel(m.interest.dir, file); err == nil {
			file = rel
		}
		list = append(list, file)
	}
	slices.Sort(list)
	if len(list) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), len(list)-shown)
	}
	return strings.Join(list, ", ")
}

// say tells something in one write, lest the output of others comes in between.
func (m *monitor) say(format string, args ...any) {
	fmt.Fprintf(m.out, "filemonitor: "+format+"\n", args...)
}
