package serve

import (
	"context"
	"io"
	"net/url"

	"github.com/workerman-go/workerman/internal/admin"
	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/master"
)

// adminSource is where the admin pages have their figures from.
type adminSource struct {
	*master.Supervisor
	server *master.Server
}

// Status is the status with all that is known.
func (a adminSource) Status(ctx context.Context) (control.Status, error) {
	return a.server.Status(ctx), nil
}

// Profile takes a profile of a process.
func (a adminSource) Profile(ctx context.Context, pid int, name string, query url.Values, w io.Writer) error {
	return a.Supervisor.Profile(ctx, pid, master.ProfileRequest{Name: name, Query: query}, w)
}

// openAdmin opens the address of the admin pages; the pages are served until ctx ends.
func (v *supervision) openAdmin(ctx context.Context) error {
	if v.settings.Admin == "" {
		return nil
	}
	warning, err := admin.Check(v.settings.Admin)
	if err != nil {
		return err
	}
	s, err := admin.Listen(v.settings.Admin)
	if err != nil {
		return err
	}
	v.admin = s.Address()
	v.log.Info("admin pages", "address", v.admin)
	if warning != "" {
		v.log.Warn("admin pages are open", "note", warning)
	}
	pages := admin.NewHandler(adminSource{v.supervisor, v.server})
	go func() {
		if err := s.Serve(ctx, pages, v.log); err != nil {
			v.log.Error("admin pages", "error", err)
		}
	}()
	return nil
}
