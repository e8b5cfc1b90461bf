package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"github.com/workerman-go/workerman"
)

// Decode passes a message on as it is.
func (s stage) Decode(_ *workerman.Conn, message []byte) ([]byte, error) { return message, nil }

// Encode sends bytes as they are.
func (s stage) Encode(_ *workerman.Conn, dst, data []byte) ([]byte, error) {
	return append(dst, data...), nil
}

// session is a client that has not reached its server yet.
type session struct {
	server *server
	limit  *workerman.Timer // for the negotiation
}

// message takes what the client says in a stage.
func (s *session) message(c *workerman.Conn, data []byte) {
	switch c.Protocol().(stage) {
	case stageMethods:
		method := chooseMethod(data, len(s.server.passwords) > 0)
		switch answer := []byte{version, method}; method {
		case noMethod:
			c.CloseWith(answer)
		case methodPassword:
			c.SetProtocol(stagePassword)
			c.Send(answer)
		default:
			c.SetProtocol(stageRequest)
			c.Send(answer)
		}
	case stagePassword:
		if !s.server.admits(login(data)) {
			c.CloseWith([]byte{passwordVersion, 1})
			return
		}
		c.SetProtocol(stageRequest)
		c.Send([]byte{passwordVersion, 0})
	case stageRequest:
		r, err := parseRequest(data)
		switch {
		case err == errAddressType:
			refuse(c, unknownAddressType)
		case err != nil:
			refuse(c, generalFailure)
		case r.command != commandConnect: // BIND and UDP ASSOCIATE
			refuse(c, unknownCommand)
		case !s.server.allows(r.port):
			refuse(c, notAllowed)
		default:
			s.connect(c, r)
		}
	}
}

func refuse(c *workerman.Conn, code byte) { c.CloseWith(reply(code, netip.AddrPort{})) }

// connect opens the way to the server that the client has asked for. What the client sends
// meanwhile waits in the network.
func (s *session) connect(c *workerman.Conn, r request) {
	c.PauseRecv()
	s.limit.Stop() // the attempt has a limit of its own
	up := c.NewClient("tcp://" + net.JoinHostPort(r.host, strconv.Itoa(int(r.port))))
	up.ConnectTimeout = s.server.wait
	up.IdleTimeout = s.server.idle
	up.OnConnect = func(u *workerman.Conn) {
		c.Send(reply(granted, u.LocalAddr()))
		c.SetProtocol(nil) // bytes as they come
		u.Pipe(c)
		c.Pipe(u)
		c.ResumeRecv()
	}
	up.OnError = func(_ *workerman.Conn, err error) { refuse(c, code(err)) }
	if up.Connect() != nil {
		refuse(c, generalFailure) // a name that no address can have
		return
	}
	c.Callbacks().OnClose = func(*workerman.Conn) { up.Close() } // also while it connects
}

// code is the answer that says best what went wrong.
func code(err error) byte {
	var unknown *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return connectionRefused
	case errors.Is(err, syscall.ENETUNREACH):
		return networkUnreachable
	case errors.Is(err, syscall.EHOSTUNREACH), errors.As(err, &unknown):
		return hostUnreachable
	case errors.Is(err, workerman.ErrConnectTimeout), errors.Is(err, context.DeadlineExceeded):
		return timedOut
	}
	return generalFailure
}

// admits checks a name and a password, in a time that does not tell how much was right.
func (s *server) admits(name, password string) bool {
	want, known := s.passwords[name]
	return subtle.ConstantTimeCompare([]byte(password), []byte(want)) == 1 && known
}
