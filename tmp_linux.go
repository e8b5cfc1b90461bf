package workerman

import (
	"io"
	"os"

	"github.com/workerman-go/workerman/internal/control"
)

func (m *Master) figures() (f control.Figures) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.services {
		f.Connections += s.live.Load()
		f.Requests += s.requests.Load()
	}
	return f
}
func (m *Master) writeConnections(w io.Writer, f control.Filter) error { return nil }
func (m *Master) writeStack(w io.Writer) error                         { return nil }
func (p *process) profile(q string, w *os.File) error                  { return nil }
