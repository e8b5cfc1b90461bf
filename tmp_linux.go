package workerman

import (
	"io"
	"os"
)

func (m *Master) writeStack(w io.Writer) error        { return nil }
func (p *process) profile(q string, w *os.File) error { return nil }
