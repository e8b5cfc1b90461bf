package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/workerman-go/workerman/internal/socket"
)

// Server serves the pages at an address.
type Server struct {
	address  socket.Address
	listener net.Listener
}

// Check tells what is wrong with an address for Listen. The warning, "" for none, is about
// one that other machines can reach.
func Check(address string) (warning string, err error) {
	a, err := parse(address)
	if err != nil || a.Network == "unix" || a.Host == "localhost" {
		return "", err
	}
	ip, err := netip.ParseAddr(a.Host)
	switch {
	case err != nil:
		return fmt.Sprintf("Admin %s: whoever can reach that name's address can see the pages, unless it is one of loopback", address), nil
	case ip.Unmap().IsLoopback():
		return "", nil
	}
	return fmt.Sprintf("Admin %s: whoever can reach it can see the pages, which have no password; 127.0.0.1 is for this machine only", address), nil
}

// parse reads "127.0.0.1:6060" or "unix:/path".
func parse(address string) (socket.Address, error) {
	network, rest := "tcp", address
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, rest = "unix", strings.TrimPrefix(path, "//")
	}
	a, err := socket.Parse(network, rest)
	if err == nil && strings.HasPrefix(a.Path, "@") {
		err = errors.New("a socket without a file is open to every user: give it a path")
	}
	if err != nil {
		err = fmt.Errorf("Admin %q: %w", address, err)
	}
	return a, err
}

// Listen opens an address: "127.0.0.1:6060", or "unix:/path" for a socket that only its owner
// may use. Whoever gets a Server has to call Serve or Close.
func Listen(address string) (*Server, error) {
	a, err := parse(address)
	if err != nil {
		return nil, err
	}
	restore := func() {}
	if a.Network == "unix" {
		restore = ownerOnly()
	}
	ln, err := socket.Listen(a, socket.Options{})
	restore()
	if err != nil {
		return nil, fmt.Errorf("Admin %s: %w", address, err)
	}
	return &Server{address: a, listener: ln}, nil
}

// Address is where it listens, as Listen takes it, with the port that is really open.
func (s *Server) Address() string {
	if s.address.Network == "unix" {
		return "unix:" + s.address.Path
	}
	return s.listener.Addr().String()
}

// Close closes the address.
func (s *Server) Close() error {
	err := s.listener.Close()
	if s.address.Network == "unix" {
		os.Remove(s.address.Path)
	}
	return err
}

const (
	headTime   = 5 * time.Second  // for a request to arrive
	answerTime = 30 * time.Second // for an answer to be read; pages that take longer say so
	idleTime   = 2 * time.Minute  // longer than the usual time between two scrapes
	stopTime   = time.Second      // for answers that are on their way at the end
	maxHead    = 16 << 10
)

// Serve serves h until ctx ends, and closes the address. At an address of loopback requests
// have to name this machine as their Host.
func (s *Server) Serve(ctx context.Context, h http.Handler, log *slog.Logger) error {
	defer s.Close()
	if tcp, ok := s.listener.Addr().(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		h = local(s.address.Host, h)
	}
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headTime, ReadTimeout: headTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHead, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		defer close(stopped)
		short, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		if server.Shutdown(short) != nil {
			server.Close()
		}
	})
	err := server.Serve(s.listener)
	if !forget() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("Admin %s: %w", s.Address(), err)
}
