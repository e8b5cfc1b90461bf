package master

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// runAs is what a process gets that is to run as user, nil to be like the master.
func runAs(user string) (*syscall.Credential, error) {
	c, err := credential(user)
	if err != nil || c == nil || os.Geteuid() == 0 {
		return c, err
	}
	if int(c.Uid) == os.Geteuid() {
		return nil, nil
	}
	return nil, fmt.Errorf("User is %q, but only root may run processes as somebody else", user)
}

// credential is the user "NAME" or "NAME:GROUP" with the supplementary groups, nil for "".
func credential(text string) (*syscall.Credential, error) {
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
