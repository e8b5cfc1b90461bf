//go:build !linux

package console

import (
	"context"
	"os"
)

// windowSize knows no terminals here: text is laid out as for a pipe.
func windowSize(*os.File) (columns, rows int, ok bool) { return 0, 0, false }

// screen is not reached, as there are no terminals.
func (l *live) screen(ctx context.Context) error { return l.blocks(ctx) }
