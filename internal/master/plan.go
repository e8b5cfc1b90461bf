// Package master supervises the processes of a program: it owns the listening sockets,
// starts, watches, replaces and ends processes, and answers the commands. It knows no
// connection and no protocol.
package master

import (
	"fmt"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/workerman-go/workerman/internal/socket"
)

// Plan is what a program wants to run, as it says itself.
type Plan struct {
	Workers []Worker      `json:"workers"`
	Stop    time.Duration `json:"stop"`  // StopTimeout
	Drain   time.Duration `json:"drain"` // DrainTimeout
}

// Worker is one service of a Plan.
type Worker struct {
	Key        string          `json:"key"` // tells it from the others and finds it again after a reload
	Name       string          `json:"name"`
	Listen     string          `json:"listen"` // address for people
	Transport  string          `json:"transport"`
	Socket     *socket.Address `json:"socket,omitempty"` // nil without an address
	Count      int             `json:"count"`
	Loops      int             `json:"loops"`
	ReusePort  bool            `json:"reuse_port"`
	Reloadable bool            `json:"reloadable"`
	User       string          `json:"user,omitempty"`
}

// sockets is how many sockets a process needs for the worker.
func (w *Worker) sockets() int {
	switch {
	case w.Socket == nil:
		return 0
	case w.ReusePort && w.Socket.Network != "unix":
		return w.Loops
	}
	return 1
}

// sharesSocket says that all processes use the same socket.
func (w *Worker) sharesSocket() bool { return !w.ReusePort || w.Socket.Network == "unix" }

// Credential is the user "NAME" or "NAME:GROUP" with the supplementary groups, nil for "".
func Credential(text string) (*syscall.Credential, error) {
	if text == "" {
		return nil, nil
	}
	name, groupName, _ := strings.Cut(text, ":")
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return nil, fmt.Errorf("User: there is no user %q", name)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("User: %q has the id %q", name, u.Uid)
	}
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	if groupName != "" {
		g, err := user.LookupGroup(groupName)
		if err != nil {
			if g, err = user.LookupGroupId(groupName); err != nil {
				return nil, fmt.Errorf("User: there is no group %q", groupName)
			}
		}
		gid, _ = strconv.ParseUint(g.Gid, 10, 32)
	}
	c := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("User: groups of %q: %w", name, err)
	}
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			c.Groups = append(c.Groups, uint32(n))
		}
	}
	return c, nil
}
