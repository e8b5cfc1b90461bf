package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Protocol is the version of what master and processes say to each other. A process of
// another version cannot be run by a master that goes on, only by one that starts anew.
const Protocol = 1

// Kinds of messages from the master to a process.
const (
	Start    = "start"    // serve the worker Key; the files are its listeners, and the log
	Listener = "listener" // the answer to Listen: files, or an error
	Ask      = "ask"      // answer on the pipe that comes with it
	Give     = "give"     // hand your connections over through the file
	Take     = "take"     // adopt connections from the file
	Drain    = "drain"    // get rid of your connections, and stop
	Stop     = "stop"     // stop; if it is graceful, drain before
	Notice   = "notice"   // the program reloads, but not this worker: it is not Reloadable
	Logs     = "logs"     // the file is the new log
	Output   = "output"   // the file is the new standard output and error
)

// Kinds of messages from a process to the master.
const (
	Hello     = "hello"   // the first message
	Up        = "up"      // the worker is ready
	Failed    = "failed"  // it could not start
	Listen    = "listen"  // open this address for me
	Moving    = "moving"  // how far a hand-over is
	Leaving   = "leaving" // how many connections a drain has left
	Given     = "given"   // the hand-over has ended
	Replace   = "replace" // start my successor
	ReloadAll = "reload"  // reload the program: it asks for that itself
)

// Message travels over a Link. Behind each field stand the kinds that have it; in all others
// it is zero.
type Message struct {
	Kind     string        `json:"kind"`
	Version  int           `json:"version,omitempty"`  // Start, Hello: Protocol of the sender
	Key      string        `json:"key,omitempty"`      // Start, Listen: names the worker
	Slot     int           `json:"slot,omitempty"`     // Start: the worker's id
	Base     uint64        `json:"base,omitempty"`     // Start: connection ids begin above it
	Secret   []byte        `json:"secret,omitempty"`   // Start: that all processes have
	Network  string        `json:"network,omitempty"`  // Listen: of Address
	Address  string        `json:"address,omitempty"`  // Listen
	Sockets  int           `json:"sockets,omitempty"`  // Start: of the files; Listen: wanted
	Shared   bool          `json:"shared,omitempty"`   // Listen: with SO_REUSEPORT
	ID       uint64        `json:"id,omitempty"`       // Listen, Listener: joins the two
	What     string        `json:"what,omitempty"`     // Ask: the question
	Query    string        `json:"query,omitempty"`    // Ask: more of it
	Graceful bool          `json:"graceful,omitempty"` // Give, Drain, Stop, ReloadAll: end nothing that goes on
	Timeout  time.Duration `json:"timeout,omitempty"`  // Give, Drain, Stop: how long it may take
	Moved    int           `json:"moved,omitempty"`    // Moving, Given: connections handed over
	Left     int           `json:"left,omitempty"`     // Moving, Given, Leaving: connections that are still here
	Reason   string        `json:"reason,omitempty"`   // Replace: in words
	Error    string        `json:"error,omitempty"`    // Failed, Listener: in words
	Daemon   bool          `json:"daemon,omitempty"`   // Start: there is no terminal for the log
	Inside   []Worker      `json:"inside,omitempty"`   // Up: what else the process serves
}

const (
	maxMessage = 64 << 10
	maxFiles   = 200    // files with one message; the kernel takes 253. There may be more of them
	more       = "more" // the kind of a message that brings descriptors of the next one
)

// Link joins the master and a process by a socket that keeps messages apart and carries
// descriptors. Send may be called from every goroutine, Receive from one.
type Link struct {
	conn *net.UnixConn
	mu   sync.Mutex
	buf  []byte
	oob  []byte
}

// NewLinks returns the two ends of a link: one for this process, one to be inherited.
func NewLinks() (*Link, *os.File, error) {
	near, far, err := socketPair(unix.SOCK_SEQPACKET) // which keeps messages apart
	if err != nil {
		return nil, nil, err
	}
	l, err := OpenLink(near)
	if err != nil {
		far.Close()
		return nil, nil, err
	}
	return l, far, nil
}

// StreamPair makes two connected sockets for a stream of bytes.
func StreamPair() (a, b *os.File, err error) { return socketPair(unix.SOCK_STREAM) }

func socketPair(kind int) (a, b *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "link"), nil
}

// OpenLink makes a link of an end, which it closes.
func OpenLink(f *os.File) (*Link, error) {
	c, err := UnixConn(f)
	if err != nil {
		return nil, err
	}
	return &Link{conn: c, buf: make([]byte, maxMessage), oob: make([]byte, unix.CmsgSpace(4*maxFiles))}, nil
}

// UnixConn makes a connection of the socket f, which it closes.
func UnixConn(f *os.File) (*net.UnixConn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errors.New("not a Unix socket")
	}
	return u, nil
}

// Send sends m with copies of descriptors.
func (l *Link) Send(m Message, fds ...int) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(b) > maxMessage {
		return fmt.Errorf("message %s of %d bytes is too large", m.Kind, len(b))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.SetWriteDeadline(time.Now().Add(sendPatience))
	for ; len(fds) > maxFiles; fds = fds[maxFiles:] {
		if err := l.write([]byte(`{"kind":"`+more+`"}`), fds[:maxFiles]); err != nil {
			return err
		}
	}
	return l.write(b, fds)
}

func (l *Link) write(b []byte, fds []int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	_, _, err := l.conn.WriteMsgUnix(b, rights, nil)
	return err
}

// SendFile sends m with a copy of f's descriptor.
func (l *Link) SendFile(m Message, f *os.File) error {
	raw, err := f.SyscallConn() // File.Fd would make it blocking, for all who share it
	if err != nil {
		return err
	}
	ctlErr := raw.Control(func(fd uintptr) { err = l.Send(m, int(fd)) })
	if ctlErr != nil {
		return ctlErr
	}
	return err
}

// sendPatience is how long the other side may leave its messages unread: it reads them on
// a goroutine that does nothing else.
const sendPatience = 5 * time.Second

// Receive waits for a message and its descriptors, which the caller has to close. The
// error is io.EOF when the other side is gone.
func (l *Link) Receive() (m Message, fds []int, err error) {
	m, fds, err = l.receive()
	for err == nil && m.Kind == more {
		var rest []int
		m, rest, err = l.receive()
		fds = append(fds, rest...)
	}
	if err != nil {
		CloseAll(fds)
		return Message{}, nil, err
	}
	return m, fds, nil
}

func (l *Link) receive() (m Message, fds []int, err error) {
	n, oobn, _, _, err := l.conn.ReadMsgUnix(l.buf, l.oob)
	if oobn > 0 {
		fds = received(l.oob[:oobn])
	}
	if err == nil && n == 0 || errors.Is(err, syscall.ECONNRESET) {
		err = io.EOF
	}
	if err == nil {
		if err = json.Unmarshal(l.buf[:n], &m); err != nil {
			err = fmt.Errorf("a message of another version: %w", err)
		}
	}
	return m, fds, err
}

// received takes the descriptors out of a control message.
func received(oob []byte) (fds []int) {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range list {
		if some, err := unix.ParseUnixRights(&list[i]); err == nil {
			fds = append(fds, some...)
		}
	}
	return fds
}

// Close ends the link; Receive returns on both sides.
func (l *Link) Close() error { return l.conn.Close() }

// CloseAll closes descriptors.
func CloseAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
