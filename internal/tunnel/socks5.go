package tunnel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// SOCKS5 as in RFC 1928, with the user name and password of RFC 1929.

const (
	socksVersion  = 5
	loginVersion  = 1
	methodNone    = 0
	methodLogin   = 2
	methodRefused = 0xFF
	socksConnect  = 1
	addressIPv4   = 1
	addressName   = 3
	addressIPv6   = 4
)

// socks5 is a negotiation; state is what it does with the next answer.
type socks5 struct {
	target Target
	login  Login
	state  func(*socks5, []byte) (used int, send []byte, err error)
}

// SOCKS5 opens a way to the target. The host is looked up by the proxy, if it is a name.
func SOCKS5(t Target, l Login) (Negotiation, error) {
	if len(t.Host) > 255 {
		return nil, fmt.Errorf("host of %d bytes: SOCKS5 carries 255", len(t.Host))
	}
	if len(l.User) > 255 || len(l.Password) > 255 || l.User == "" && l.Password != "" {
		return nil, errors.New("user and password of SOCKS5 have 1 to 255 bytes")
	}
	return &socks5{target: t, login: l, state: (*socks5).method}, nil
}

func (s *socks5) Begin() []byte {
	if s.login.User == "" {
		return []byte{socksVersion, 1, methodNone}
	}
	return []byte{socksVersion, 2, methodNone, methodLogin}
}

func (s *socks5) Next(b []byte) (used int, send []byte, done bool, err error) {
	for s.state != nil {
		n, out, err := s.state(s, b[used:])
		if err == errTruncated {
			return used, send, false, nil
		}
		if err != nil {
			return used, nil, false, err
		}
		used, send = used+n, append(send, out...)
	}
	return used, send, true, nil
}

// method reads how the proxy wants to be logged in to.
func (s *socks5) method(b []byte) (used int, send []byte, err error) {
	if len(b) > 0 && b[0] != socksVersion {
		return 0, nil, fmt.Errorf("the proxy speaks no SOCKS5: its answer begins with %#x", b[0])
	}
	if len(b) < 2 {
		return 0, nil, errTruncated
	}
	switch {
	case b[1] == methodNone:
		s.state = (*socks5).connected
		return 2, s.connect(), nil
	case b[1] == methodLogin && s.login.User != "":
		s.state = (*socks5).admitted
		return 2, s.credentials(), nil
	case b[1] == methodRefused && s.login.User == "":
		return 0, nil, errors.New("the proxy demands a login that has not been given")
	case b[1] == methodRefused:
		return 0, nil, errors.New("the proxy takes no login by user and password")
	}
	return 0, nil, fmt.Errorf("the proxy chose the method %#x, which was not offered", b[1])
}

func (s *socks5) credentials() []byte {
	out := append([]byte{loginVersion, byte(len(s.login.User))}, s.login.User...)
	return append(append(out, byte(len(s.login.Password))), s.login.Password...)
}

// admitted reads whether the login was right. Some proxies answer with the version of
// SOCKS instead of that of the login.
func (s *socks5) admitted(b []byte) (used int, send []byte, err error) {
	switch {
	case len(b) > 0 && b[0] != loginVersion && b[0] != socksVersion:
		return 0, nil, fmt.Errorf("malformed answer to the login: version %#x", b[0])
	case len(b) < 2:
		return 0, nil, errTruncated
	case b[1] != 0:
		return 0, nil, errors.New("the proxy refused user and password")
	}
	s.state = (*socks5).connected
	return 2, s.connect(), nil
}

// connect is the request.
func (s *socks5) connect() []byte {
	out := []byte{socksVersion, socksConnect, 0}
	if ip, err := netip.ParseAddr(s.target.Host); err != nil || ip.Zone() != "" {
		out = append(append(out, addressName, byte(len(s.target.Host))), s.target.Host...)
	} else if ip.Is4() {
		out = append(append(out, addressIPv4), ip.AsSlice()...)
	} else {
		out = append(append(out, addressIPv6), ip.AsSlice()...)
	}
	return binary.BigEndian.AppendUint16(out, s.target.Port)
}

// connected reads whether the proxy has reached the target. The address in the answer is
// the proxy's own, of no interest.
func (s *socks5) connected(b []byte) (used int, send []byte, err error) {
	switch {
	case len(b) > 0 && b[0] != socksVersion:
		return 0, nil, fmt.Errorf("malformed answer: version %#x", b[0])
	case len(b) < 2:
		return 0, nil, errTruncated
	case b[1] != 0:
		return 0, nil, fmt.Errorf("the proxy could not connect: %s", reply(b[1]))
	case len(b) < 5:
		return 0, nil, errTruncated
	}
	size := 4 + 2
	switch b[3] {
	case addressIPv4:
		size += 4
	case addressIPv6:
		size += 16
	case addressName:
		size += 1 + int(b[4])
	default:
		return 0, nil, fmt.Errorf("malformed answer: address of the kind %#x", b[3])
	}
	if len(b) < size {
		return 0, nil, errTruncated
	}
	s.state = nil
	return size, nil, nil
}

// reply says in words what RFC 1928 section 6 numbers.
func reply(code byte) string {
	words := [...]string{1: "general failure", 2: "not allowed by its rules", 3: "network unreachable", 4: "host unreachable",
		5: "connection refused", 6: "TTL expired", 7: "command not supported", 8: "address type not supported"}
	if int(code) < len(words) && words[code] != "" {
		return words[code]
	}
	return fmt.Sprintf("code %#x", code)
}
