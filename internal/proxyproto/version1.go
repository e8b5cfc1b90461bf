package proxyproto

import (
	"bytes"
	"net/netip"
	"strconv"
)

const (
	prefix1  = "PROXY "
	maxSize1 = 107 // with the line end
)

// parse1 reads the line of version 1, such as
//
//	PROXY TCP4 192.0.2.1 198.51.100.1 56324 443
//
// Fields are separated by one space; the line ends with CR LF.
func parse1(buf []byte) (h Header, n int, err error) {
	line := buf[:min(len(buf), maxSize1)]
	end := bytes.IndexAny(line, "\r\n")
	switch {
	case end < 0:
		if len(buf) >= maxSize1 {
			return h, 0, malformed("line without an end", line)
		}
		return h, 0, plausible1(line)
	case line[end] == '\n':
		return h, 0, malformed("line ends without CR:", line[:end])
	case end+1 == maxSize1:
		return h, 0, malformed("line too long", line)
	case end+1 == len(line):
		return h, 0, plausible1(line[:end])
	case line[end+1] != '\n':
		return h, 0, malformed("CR without LF after", line[:end])
	}
	h, err = parseLine(line[:end])
	if err != nil {
		return Header{}, 0, err
	}
	return h, end + 2, nil
}

// plausible1 is the early check of a line that has not arrived as a whole: its protocol.
func plausible1(line []byte) error {
	if len(line) <= len(prefix1) {
		return nil
	}
	rest := line[len(prefix1):]
	for _, protocol := range [...]string{"TCP4 ", "TCP6 ", unknown + " "} {
		if begins(rest, protocol) {
			return nil
		}
	}
	return malformed("protocol", rest)
}

const unknown = "UNKNOWN"

func parseLine(line []byte) (h Header, err error) {
	protocol, rest, _ := cutSpace(line[len(prefix1):])
	switch string(protocol) {
	case unknown:
		// What follows is to be ignored.
		return Header{Local: true}, nil
	case "TCP4", "TCP6":
	default:
		return h, malformed("protocol", protocol)
	}
	source, rest, _ := cutSpace(rest)
	destination, rest, _ := cutSpace(rest)
	sourcePort, destinationPort, found := cutSpace(rest)
	if !found {
		return h, malformed("too few fields in", line)
	}
	wide := protocol[3] == '6'
	if h.Source, err = endpoint(source, sourcePort, wide); err != nil {
		return h, err
	}
	h.Destination, err = endpoint(destination, destinationPort, wide)
	return h, err
}

// endpoint reads an address of the announced family and a port without leading zeros.
func endpoint(address, port []byte, wide bool) (e netip.AddrPort, err error) {
	a, err := netip.ParseAddr(string(address))
	if err != nil || a.Is6() != wide || a.Zone() != "" {
		return e, malformed("address", address)
	}
	p, err := strconv.ParseUint(string(port), 10, 16)
	if err != nil || len(port) > 1 && port[0] == '0' {
		return e, malformed("port", port)
	}
	return unmapped(a, uint16(p)), nil
}
