package console

import "slices"

// column is one column of a table whose rows are values of T.
type column[T any] struct {
	title string
	right bool // numbers stand right, text left
	// rank tells what a narrow terminal does without: the column with the highest rank goes
	// first, one without rank never.
	rank  int
	least int                             // width, if the rows that are measured are narrower
	text  func(dst []byte, row *T) []byte // appends the cell, clean
	color func(row *T) string             // nil means plain
	order func(a, b *T) int               // how a live table is sorted by the column
}

// layout is a table whose columns have their widths.
type layout[T any] struct {
	look    Look
	columns []column[T]
	widths  []int
	sorted  string // title of the column by which the rows are sorted, which stands out
	cell    []byte // scratch
}

const gap = 2 // between columns

// newLayout measures rows and chooses the columns that fit.
func newLayout[T any](look Look, columns []column[T], rows []T) *layout[T] {
	l := &layout[T]{look: look, columns: slices.Clone(columns), widths: make([]int, len(columns))}
	for i, c := range columns {
		l.widths[i] = max(len(c.title), c.least)
		for r := range rows {
			l.cell = c.text(l.cell[:0], &rows[r])
			l.widths[i] = max(l.widths[i], textWidth(l.cell))
		}
	}
	for l.width() > look.limit() && l.narrow(look.limit()/3) {
	}
	for l.width() > look.limit() && l.drop() {
	}
	for l.width() > look.limit() && l.narrow(6) {
	}
	return l
}

func (l *layout[T]) width() int {
	sum := gap * (len(l.widths) - 1)
	for _, w := range l.widths {
		sum += w
	}
	return sum
}

// titles are those of the columns that are shown.
func (l *layout[T]) titles() []string {
	titles := make([]string, len(l.columns))
	for i, c := range l.columns {
		titles[i] = c.title
	}
	return titles
}

// drop leaves out the least important column.
func (l *layout[T]) drop() bool {
	least := 0
	for i, c := range l.columns {
		if c.rank > l.columns[least].rank {
			least = i
		}
	}
	if l.columns[least].rank == 0 {
		return false
	}
	l.columns = slices.Delete(l.columns, least, least+1)
	l.widths = slices.Delete(l.widths, least, least+1)
	return true
}

// narrow takes a little from the widest text, unless it is down to least.
func (l *layout[T]) narrow(least int) bool {
	widest := -1
	for i, c := range l.columns {
		if !c.right && l.widths[i] > least && (widest < 0 || l.widths[i] > l.widths[widest]) {
			widest = i
		}
	}
	if widest < 0 {
		return false
	}
	l.widths[widest]--
	return true
}

// appendHead appends the line of titles.
func (l *layout[T]) appendHead(dst []byte) []byte {
	return l.append(dst, func(cell []byte, c *column[T]) ([]byte, string) {
		color := heading
		if l.sorted != "" && c.title == l.sorted {
			color = selected
		}
		return append(cell, c.title...), color
	}, heading)
}

// appendRow appends the line of a row.
func (l *layout[T]) appendRow(dst []byte, row *T) []byte {
	return l.append(dst, func(cell []byte, c *column[T]) ([]byte, string) {
		color := plain
		if c.color != nil {
			color = c.color(row)
		}
		return c.text(cell, row), color
	}, plain)
}

// append sets cells side by side, cut to their columns on a terminal. Spaces have the
// colour between.
func (l *layout[T]) append(dst []byte, cellOf func(cell []byte, c *column[T]) ([]byte, string), between string) []byte {
	left, blank := l.look.limit(), 0
	spaces := func(n int) {
		if between == plain || !l.look.Color {
			dst = appendSpaces(dst, n)
		} else {
			dst = l.look.paint(dst, between, appendSpaces(nil, n))
		}
	}
	for i := range l.columns {
		c := &l.columns[i]
		cell, color := cellOf(l.cell[:0], c)
		l.cell = cell
		width := textWidth(cell)
		room := left - blank
		if l.look.Width > 0 {
			room = min(room, l.widths[i])
		}
		if width > room {
			cell = appendCut(nil, cell, room)
			width = textWidth(cell)
		}
		pad := max(min(l.widths[i], room)-width, 0)
		if c.right {
			blank += pad
			pad = 0
		}
		if width > 0 {
			spaces(blank)
			dst = l.look.paint(dst, color, cell)
			left -= blank + width
			blank = 0
		}
		blank += pad + gap
		if blank >= left {
			break
		}
	}
	return append(dst, '\n')
}
