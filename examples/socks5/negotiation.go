package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/workerman-go/workerman"
)

// What a client says before bytes flow, RFC 1928 and, for the password, RFC 1929.
const (
	version         = 5
	passwordVersion = 1

	methodNone     = 0
	methodPassword = 2
	noMethod       = 0xFF

	commandConnect = 1

	addressIPv4 = 1
	addressName = 3
	addressIPv6 = 4
)

// The answers to a request.
const (
	granted            = 0
	generalFailure     = 1
	notAllowed         = 2
	networkUnreachable = 3
	hostUnreachable    = 4
	connectionRefused  = 5
	timedOut           = 6
	unknownCommand     = 7
	unknownAddressType = 8
)

// stage is what a client has to say next. Each is the Protocol of a connection meanwhile: a
// message is one of its stage.
type stage int

const (
	stageMethods stage = iota
	stagePassword
	stageRequest
)

// Input is the size of the message that b begins with, 0 if more has to come first.
func (s stage) Input(_ *workerman.Conn, b []byte) (int, error) {
	switch s {
	case stageMethods: // VER NMETHODS METHODS
		if len(b) > 0 && b[0] != version {
			return 0, fmt.Errorf("version %d of SOCKS, not 5", b[0])
		}
		return sized(b, 2, 1, 0), nil
	case stagePassword: // VER ULEN UNAME PLEN PASSWD
		if len(b) > 0 && b[0] != passwordVersion {
			return 0, fmt.Errorf("version %d of the login, not 1", b[0])
		}
		name := sized(b, 2, 1, 1)
		return sized(b, name, name-1, 0), nil
	}
	switch { // VER CMD RSV ATYP ADDR PORT
	case len(b) > 0 && b[0] != version:
		return 0, fmt.Errorf("version %d of SOCKS in a request, not 5", b[0])
	case len(b) < 4:
		return 0, nil
	case b[3] == addressIPv4:
		return 4 + 4 + 2, nil
	case b[3] == addressIPv6:
		return 4 + 16 + 2, nil
	case b[3] == addressName:
		return sized(b, 5, 4, 2), nil
	}
	return 4, nil // where its address ends nobody knows; it is refused
}

// sized is the size of a message of fixed bytes, as many more as the byte at a place says,
// and some behind them; 0 if fixed is, or that byte is not there.
func sized(b []byte, fixed, at, behind int) int {
	if fixed == 0 || len(b) <= at {
		return 0
	}
	return fixed + int(b[at]) + behind
}

// chooseMethod picks from what a client offers.
func chooseMethod(message []byte, passwords bool) byte {
	want := byte(methodNone)
	if passwords {
		want = methodPassword
	}
	if !slices.Contains(message[2:], want) {
		return noMethod
	}
	return want
}

// login reads a name and a password.
func login(message []byte) (name, password string) {
	end := 2 + int(message[1])
	return string(message[2:end]), string(message[end+1:])
}

// request is what a client wants.
type request struct {
	command byte
	host    string // a name or an address
	port    uint16
}

// errAddressType is for an address of a kind that RFC 1928 does not know.
var errAddressType = errors.New("unknown type of address")

// parseRequest reads a message that Input has measured.
func parseRequest(b []byte) (r request, err error) {
	r.command = b[1]
	if len(b) == 4 {
		return r, errAddressType
	}
	address := b[4 : len(b)-2]
	r.port = binary.BigEndian.Uint16(b[len(b)-2:])
	if b[3] == addressName {
		r.host = string(address[1:])
		if r.host == "" {
			return r, errors.New("the name of the host is empty")
		}
		return r, nil
	}
	ip, _ := netip.AddrFromSlice(address)
	r.host = ip.String()
	return r, nil
}

// reply answers a request: with an address of this machine, if one is known.
func reply(code byte, bound netip.AddrPort) []byte {
	ip := bound.Addr().Unmap()
	if !ip.IsValid() {
		ip = netip.IPv4Unspecified()
	}
	kind := byte(addressIPv4)
	if ip.Is6() {
		kind = addressIPv6
	}
	b := append([]byte{version, code, 0, kind}, ip.AsSlice()...)
	return binary.BigEndian.AppendUint16(b, bound.Port())
}
