package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/socket"
)

// ports binds each address for a moment.
func (c *check) ports() {
	for _, l := range c.Listen {
		subject := fmt.Sprintf("address of worker %q", l.Worker)
		err := bind(l.Address)
		if err == nil {
			c.ok(subject, "%s is free", l.Address)
			continue
		}
		if c.Running && errors.Is(err, syscall.EADDRINUSE) {
			c.ok(subject, "%s is taken, it seems by the service that runs", l.Address)
			continue
		}
		c.found(Error, subject, fmt.Sprintf("%s: %v", l.Address, err), c.bindAdvice(l.Address, err))
	}
}

// bind tries an address. Of a Unix socket it looks at the folder and at what is there, so as
// to leave no file.
func bind(a socket.Address) error {
	switch a.Network {
	case "unix":
		return bindUnix(a.Path)
	case "udp":
		c, err := socket.ListenPacket(a, socket.Options{})
		if err == nil {
			c.Close()
		}
		return err
	}
	ln, err := socket.Listen(a, socket.Options{})
	if err == nil {
		ln.Close()
	}
	return err
}

func bindUnix(path string) error {
	if !strings.HasPrefix(path, "@") {
		if err := access(filepath.Dir(path), unix.W_OK|unix.X_OK); err != nil {
			return fmt.Errorf("folder: %w", err)
		}
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && info.Mode()&fs.ModeSocket == 0 {
			return fmt.Errorf("%w: a file that is no socket is there", syscall.EADDRINUSE)
		}
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return nil // nobody listens; the start removes what is left of a socket
	}
	c.Close()
	return fmt.Errorf("%w: another process serves this socket", syscall.EADDRINUSE)
}

// bindAdvice is what to do about an address that cannot be bound.
func (c *check) bindAdvice(a socket.Address, err error) string {
	switch {
	case a.Network == "unix" && errors.Is(err, syscall.EADDRINUSE):
		return "stop what serves it, or another path"
	case a.Network == "unix":
		return "create the folder, or give it to " + me()
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf("see who has it: ss -lnp 'sport = :%d'", a.Port)
	case errors.Is(err, syscall.EACCES):
		first, ok := c.number("proc/sys/net/ipv4/ip_unprivileged_port_start")
		if !ok {
			first = 1024
		}
		return fmt.Sprintf("ports below %d are root's: start as root with Worker.User, or AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or setcap cap_net_bind_service=+ep on the program", first)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no such address: see ip address, or use 0.0.0.0"
	}
	return "use an IP address of this machine"
}
