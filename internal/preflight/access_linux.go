package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// folders looks whether the master can write its files.
func (c *check) folders() {
	if c.PidFile != "" {
		dir := filepath.Dir(c.PidFile)
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			c.found(Error, "pid file", dir+" does not exist", "create it, or set Master.PidFile")
		} else {
			c.writable("pid file", c.PidFile, dir, "Master.PidFile")
		}
	}
	if c.LogFile != "" {
		c.writable("log file", c.LogFile, existing(filepath.Dir(c.LogFile)), "Master.LogFile")
	}
}

// writable reports whether a file, or if there is none one in dir, can be written.
func (c *check) writable(subject, path, dir, field string) {
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			c.found(Error, subject, path+" is a folder", "set "+field+" to a file")
			return
		}
		if err := access(path, unix.W_OK); err != nil {
			c.found(Error, subject, fmt.Sprintf("%s cannot be written: %v", path, err), "give it to "+me()+", or set "+field)
			return
		}
	}
	if err := access(dir, unix.W_OK|unix.X_OK); err != nil {
		c.found(Error, subject, fmt.Sprintf("no file can be created in %s: %v", dir, err), "give the folder to "+me()+", or set "+field)
		return
	}
	c.ok(subject, "%s", path)
}

// access asks the kernel whether this process may use a path.
func access(path string, mode uint32) error {
	return unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS)
}

// me is the user of this process.
func me() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "user " + strconv.Itoa(os.Geteuid())
}

// users looks whether workers can run as they want to.
func (c *check) users() {
	root := os.Geteuid() == 0
	names := slices.Clone(c.Users)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name == "" {
			if root {
				c.found(Advice, "user", "a worker runs as root: who breaks into it has the machine", `set Worker.User, as "www-data"`)
			}
			continue
		}
		c.user(name, root)
	}
}

// user checks one NAME or NAME:GROUP.
func (c *check) user(text string, root bool) {
	subject := "user " + text
	name, group, _ := strings.Cut(text, ":")
	u, err := user.Lookup(name)
	if err != nil {
		c.found(Error, subject, "there is no such user", "useradd --system "+name+", or another Worker.User")
		return
	}
	uid, _ := strconv.Atoi(u.Uid)
	gids, _ := u.GroupIds()
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			c.found(Error, subject, "there is no group "+group, "groupadd --system "+group+", or another Worker.User")
			return
		}
		gids = append(gids, g.Gid)
	}
	if !root {
		if uid == os.Geteuid() {
			c.ok(subject, "is the one that runs this")
			return
		}
		c.found(Error, subject, "only root can start a process of another user", "start as root, or without Worker.User")
		return
	}
	if c.Program == "" || uid == 0 {
		c.ok(subject, "exists")
		return
	}
	info, err := os.Stat(c.Program)
	if err != nil {
		c.found(Error, "program", err.Error(), "")
		return
	}
	if !permits(info, uid, gids, 1) {
		c.found(Error, subject, "may not execute "+c.Program, "chmod a+rx "+c.Program)
		return
	}
	for dir := filepath.Dir(c.Program); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && !permits(info, uid, gids, 1) {
			c.found(Warning, subject, "may not enter "+dir+": it cannot open files beside the program", "chmod a+x "+dir+", or another place for the program")
			return
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	c.ok(subject, "may run the program")
}

// permits reports whether the bits of a file's mode, 4 to read, 2 to write, 1 to execute,
// hold for a user who is not root.
func permits(info fs.FileInfo, uid int, gids []string, bits fs.FileMode) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	mode := info.Mode().Perm()
	switch {
	case int(st.Uid) == uid:
		mode >>= 6
	case slices.Contains(gids, strconv.Itoa(int(st.Gid))):
		mode >>= 3
	}
	return mode&bits == bits
}
