package serve

import (
	"cmp"
	"os/user"
	"runtime/debug"

	"github.com/workerman-go/workerman/internal/control"
)

// modulePath is this module's.
const modulePath = "github.com/workerman-go/workerman"

// complete adds to a status what the build and the system tell about this process.
func complete(s *control.Status) {
	s.Version, s.Build = versions()
	s.User = userName()
	for i := range s.Workers {
		s.Workers[i].User = cmp.Or(s.Workers[i].User, s.User)
	}
}

// versions are those of this package and of the program, as far as the build tells.
func versions() (own, program string) {
	own, program = "devel", "devel"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return own, program
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		program = info.Main.Version
	}
	if info.Main.Path == modulePath {
		own = program
	}
	for _, d := range info.Deps {
		if d.Path == modulePath && d.Version != "" && d.Version != "(devel)" {
			own = d.Version
		}
	}
	return own, program
}

// userName is who runs this process.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
