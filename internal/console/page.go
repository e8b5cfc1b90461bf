package console

import (
	"context"
	"slices"

	"github.com/workerman-go/workerman/internal/control"
)

// statusPage shows the processes.
type statusPage struct {
	get         func(context.Context) (control.Status, error)
	now, before *control.Status
}

func (p *statusPage) fetch(ctx context.Context) (func(), error) {
	s, err := p.get(ctx)
	return func() { p.before, p.now = p.now, &s }, err
}

func (p *statusPage) draw(v view) sheet {
	if p.now == nil {
		return sheet{}
	}
	rows := processRows(p.now, p.before)
	sortRows(rows, processColumns(), v)
	return statusSheet(p.now, rows, v.look, v.sort)
}

// connectionsPage shows the connections.
type connectionsPage struct {
	get  func(context.Context) ([]control.Connection, error)
	rows []control.Connection
	read bool
}

func (p *connectionsPage) fetch(ctx context.Context) (func(), error) {
	rows, err := p.get(ctx)
	return func() { p.rows, p.read = rows, true }, err
}

func (p *connectionsPage) draw(v view) sheet {
	if !p.read {
		return sheet{}
	}
	columns := connectionColumns()
	rows := slices.Clone(p.rows) // the order in which they came is one that can be chosen again
	sortRows(rows, columns, v)
	var sum traffic
	for i := range rows {
		sum.add(&rows[i])
	}
	table := newLayout(v.look, columns, rows[:min(len(rows), measured)])
	table.sorted = v.sort
	s := sheet{head: []string{line(table.appendHead(nil))}, titles: table.titles(), total: len(rows)}
	for i := range rows[:min(len(rows), v.lines)] {
		s.body = append(s.body, line(table.appendRow(nil, &rows[i])))
	}
	s.foot = append([]string{v.look.rule("")}, sum.lines(false, v.look)...)
	return s
}

// sortRows sorts rows as the view wants it: of numbers the largest come first, of words
// those at the beginning of the alphabet.
func sortRows[T any](rows []T, columns []column[T], v view) {
	i := slices.IndexFunc(columns, func(c column[T]) bool { return c.title == v.sort })
	if i < 0 {
		if v.reverse {
			slices.Reverse(rows)
		}
		return
	}
	c := columns[i]
	slices.SortStableFunc(rows, func(a, b T) int {
		if c.right != v.reverse {
			return c.order(&b, &a)
		}
		return c.order(&a, &b)
	})
}
