package console

import (
	"os"

	"golang.org/x/sys/unix"
)

// windowSize returns the columns and rows of a terminal, those of a classic one if it
// does not tell; false if f is none.
func windowSize(f *os.File) (columns, rows int, ok bool) {
	if !isTerminal(f) {
		return 0, 0, false
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 || size.Row == 0 {
		return 80, 24, true
	}
	return int(size.Col), int(size.Row), true
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// terminal is one that shows a screen of its own and gives keys one by one. Its keys for
// signals stay what they are.
type terminal struct {
	in, out *os.File
	before  *unix.Termios // the settings that in had; nil if it is no terminal
	active  bool
}

func newTerminal(in, out *os.File) *terminal {
	before, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS)
	if err != nil {
		before = nil
	}
	return &terminal{in: in, out: out, before: before}
}

// enter switches to the screen, again after a suspension.
func (t *terminal) enter() error {
	if t.before != nil {
		raw := *t.before
		raw.Lflag &^= unix.ICANON | unix.ECHO
		raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
		if err := unix.IoctlSetTermios(int(t.in.Fd()), unix.TCSETS, &raw); err != nil {
			return os.NewSyscallError("tcsetattr", err)
		}
	}
	t.active = true
	_, err := t.out.WriteString("\x1b[?1049h\x1b[?25l\x1b[2J") // alternate screen, no cursor
	return err
}

// leave gives the terminal back as it was. Nobody is left to hear that it failed: then the
// terminal is gone.
func (t *terminal) leave() {
	if !t.active {
		return
	}
	t.active = false
	t.out.WriteString("\x1b[?25h\x1b[?1049l")
	if t.before != nil {
		unix.IoctlSetTermios(int(t.in.Fd()), unix.TCSETS, t.before)
	}
}

// readKeys reads keys on a goroutine until stop is called. The channel is closed when the
// terminal is gone; it gives nothing if there is none.
func (t *terminal) readKeys() (keys <-chan key, stop func(), err error) {
	if t.before == nil {
		return nil, func() {}, nil
	}
	wake, ring, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	c, done, ended := make(chan key), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t.read(c, wake, done)
	}()
	return c, func() {
		close(done)
		ring.Close()
		<-ended
		wake.Close()
	}, nil
}

func (t *terminal) read(c chan<- key, wake *os.File, done <-chan struct{}) {
	defer close(c)
	fds := []unix.PollFd{{Fd: int32(t.in.Fd()), Events: unix.POLLIN}, {Fd: int32(wake.Fd()), Events: unix.POLLIN}}
	buf := make([]byte, 256)
	for {
		if _, err := unix.Poll(fds, -1); err == unix.EINTR {
			continue
		} else if err != nil || fds[1].Revents != 0 {
			return
		}
		n, err := unix.Read(int(t.in.Fd()), buf)
		if err == unix.EINTR || err == unix.EAGAIN {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		for _, k := range appendKeys(nil, buf[:n]) {
			select {
			case c <- k:
			case <-done:
				return
			}
		}
	}
}
