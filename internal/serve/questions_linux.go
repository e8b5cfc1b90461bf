package serve

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/workerman-go/workerman/internal/admin"
	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
)

// answer writes the answer to a question of the master.
func (p *process) answer(m control.Message, w *os.File) {
	defer w.Close()
	var err error
	switch m.What {
	case master.AskFigures:
		err = json.NewEncoder(w).Encode(p.worker.Figures())
	case master.AskConnections:
		var f control.Filter
		if err = json.Unmarshal([]byte(m.Query), &f); err == nil {
			err = p.worker.WriteConnections(w, f)
		}
	case master.AskStack:
		err = p.worker.WriteStack(w)
	case master.AskProfile:
		err = writeProfile(w, m.Query)
	}
	if err != nil && !errors.Is(err, syscall.EPIPE) {
		p.logger().Debug("question of the master", "what", m.What, "error", err)
	}
}

// writeProfile writes a profile of this process. One that takes time goes on to its end even
// if the master no longer reads.
func writeProfile(w io.Writer, query string) error {
	var r master.ProfileRequest
	if err := json.Unmarshal([]byte(query), &r); err != nil {
		return err
	}
	return admin.WriteProfile(context.Background(), w, r.Name, r.Query)
}
