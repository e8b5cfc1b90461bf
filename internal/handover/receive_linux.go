package handover

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"golang.org/x/sys/unix"
)

var errNoDescriptor = errors.New("no descriptor came with it: the limit of open files (ulimit -n) is too low")

// Receive takes the connections that Send gives on the other end of link. It asks restore for each
// of them, which makes the connection of a State, or says why it cannot; then the connection stays
// with the old process, and log gets the reason. When the answer is written, those that were taken
// are adopted. restore and Adopt are called on the goroutine of Receive.
//
// Receive returns nil when the other side is through, or an error of the link; what came before
// that is adopted by then. It closes link.
func Receive(link *net.UnixConn, log *slog.Logger, restore func(*State) (Incoming, error)) error {
	defer link.Close()
	r := receiver{link: link, log: log, restore: restore}
	for {
		fds, states, err := readOffer(link)
		if err == nil {
			err = r.batch(fds, states)
		} else {
			closeAll(fds)
		}
		switch {
		case err == errEnd:
			return nil
		case err != nil:
			return err
		}
	}
}

// receiver takes connections over.
type receiver struct {
	link    *net.UnixConn
	log     *slog.Logger
	restore func(*State) (Incoming, error)
}

// arrival is a connection that is taken, with its socket.
type arrival struct {
	conn Incoming
	fd   int
}

// batch answers an offer, and has what it took adopted. It owns fds.
func (r *receiver) batch(fds []int, states [][]byte) error {
	answer := append(make([]byte, 0, 1+len(states)), linkAnswer)
	var arrivals []arrival
	for i, state := range states {
		conn, err := r.decode(state, i < len(fds))
		if err != nil {
			r.log.Warn("connection stays with the old process", "reason", err.Error())
			answer = append(answer, refused)
			continue
		}
		arrivals = append(arrivals, arrival{conn, fds[i]})
		fds[i] = -1
		answer = append(answer, taken)
	}
	closeAll(fds) // before the old process goes on with these connections
	if _, err := r.link.Write(answer); err != nil {
		for _, a := range arrivals {
			unix.Close(a.fd)
		}
		return fmt.Errorf("hand-over: %w", err)
	}
	for _, a := range arrivals {
		a.conn.Adopt(a.fd)
	}
	return nil
}

// decode makes the connection of a binary form, or says why it cannot.
func (r *receiver) decode(state []byte, hasSocket bool) (Incoming, error) {
	if !hasSocket {
		return nil, errNoDescriptor
	}
	s, err := ReadState(state)
	if err != nil {
		return nil, err
	}
	return r.restore(s)
}

// closeAll closes descriptors that nobody took.
func closeAll(fds []int) {
	for _, fd := range fds {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}
