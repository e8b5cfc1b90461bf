package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// States to Notify of, see sd_notify(3).
const (
	Ready    = "READY=1"    // the start, or a reload, is over
	Stopping = "STOPPING=1" // a stop has begun
	Alive    = "WATCHDOG=1" // what the watchdog waits for
)

// Reloading is the state in which a reload begins; Ready ends it.
func Reloading() string {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // fails for unknown clocks only
	return "RELOADING=1\nMONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/1000, 10)
}

// Status is a text that systemctl status shows; it is of one line.
func Status(text string) string {
	return "STATUS=" + strings.Join(strings.Fields(text), " ")
}

// MainPID says that another process is the main one of the service from now on.
func MainPID(pid int) string { return "MAINPID=" + strconv.Itoa(pid) }

// notifyTimeout is how long a manager that does not read may hold Notify up.
const notifyTimeout = time.Second

// Notify tells systemd of states, by the socket of the environment variable NOTIFY_SOCKET. It
// does nothing if there is none.
func Notify(states ...string) error {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" || len(states) == 0 {
		return nil
	}
	if name[0] != '/' && name[0] != '@' {
		return fmt.Errorf("systemd: NOTIFY_SOCKET is %q, which is no Unix socket", name)
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("systemd: NOTIFY_SOCKET: %w", err)
	}
	defer c.Close()
	c.SetWriteDeadline(time.Now().Add(notifyTimeout))
	if _, err := c.Write([]byte(strings.Join(states, "\n"))); err != nil {
		return fmt.Errorf("systemd: NOTIFY_SOCKET: %w", err)
	}
	return nil
}

// Watchdog is the time within which systemd wants to be told Alive, again and again, or it
// kills the service; half of it is a good interval. It is 0 if this process is not watched.
func Watchdog() time.Duration {
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || usec <= 0 || usec > int64(time.Duration(1<<63-1)/time.Microsecond) {
		return 0
	}
	return time.Duration(usec) * time.Microsecond
}
