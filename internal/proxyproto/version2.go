package proxyproto

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

const (
	signature2 = "\r\n\r\n\x00\r\nQUIT\n"
	headSize2  = 16
)

// The commands, in the lower half of the byte after the signature.
const (
	commandLocal = 0
	commandProxy = 1
)

// The address families, in the upper half of the byte after that. The lower half is the
// transport.
const (
	familyUnspecified = 0
	familyIPv4        = 1
	familyIPv6        = 2
	familyUnix        = 3

	transportUnspecified = 0
	transportDatagram    = 2
)

// addressSizes are the lengths of both addresses and ports, by family.
var addressSizes = [...]int{familyIPv4: 12, familyIPv6: 36, familyUnix: 216}

// parse2 reads the binary header of version 2: the signature, version and command, family
// and transport, the length of what follows, addresses, TLVs.
func parse2(buf []byte) (h Header, n int, err error) {
	if len(buf) > 12 {
		if version := buf[12] >> 4; version != 2 {
			return h, 0, malformed("version", version)
		}
		if command := buf[12] & 15; command > commandProxy {
			return h, 0, malformed("command", command)
		}
	}
	local := len(buf) > 12 && buf[12]&15 == commandLocal
	// The rest of a local header says nothing, whatever it is.
	if len(buf) > 13 && !local {
		if family := buf[13] >> 4; family > familyUnix {
			return h, 0, malformed("address family", family)
		}
		if transport := buf[13] & 15; transport > transportDatagram {
			return h, 0, malformed("transport", transport)
		}
	}
	if len(buf) < headSize2 {
		return h, 0, nil
	}
	n = headSize2 + int(binary.BigEndian.Uint16(buf[14:]))
	family, transport := buf[13]>>4, buf[13]&15
	known := !local && family != familyUnspecified && transport != transportUnspecified
	if n > MaxSize || known && n < headSize2+addressSizes[family] {
		return h, 0, malformed("length", n)
	}
	if len(buf) < n {
		return h, 0, nil
	}
	if !known {
		return Header{Local: true}, n, nil
	}
	header := buf[:n:n]
	if err := checkTLVs(header, headSize2+addressSizes[family]); err != nil {
		return h, 0, err
	}
	switch addresses := header[headSize2:]; family {
	case familyIPv4:
		h.Source = endpoint2(addresses[0:4], addresses[8:])
		h.Destination = endpoint2(addresses[4:8], addresses[10:])
	case familyIPv6:
		h.Source = endpoint2(addresses[0:16], addresses[32:])
		h.Destination = endpoint2(addresses[16:32], addresses[34:])
	}
	return h, n, nil
}

func endpoint2(address, port []byte) netip.AddrPort {
	a, _ := netip.AddrFromSlice(address)
	return unmapped(a, binary.BigEndian.Uint16(port))
}

const (
	tlvHead     = 3 // the type and the length
	tlvChecksum = 3
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkTLVs reports whether the type-length-value triples from start on fill the header, and
// whether its checksum, if there is one, is right.
func checkTLVs(header []byte, start int) error {
	for at := start; at < len(header); {
		if len(header)-at < tlvHead {
			return malformed("TLV cut off at", at)
		}
		value := at + tlvHead
		end := value + int(binary.BigEndian.Uint16(header[at+1:]))
		if end > len(header) {
			return malformed("TLV longer than the header at", at)
		}
		if header[at] == tlvChecksum {
			if end-value != 4 {
				return malformed("checksum TLV at", at)
			}
			if sum := checksum(header, value); sum != binary.BigEndian.Uint32(header[value:]) {
				return malformed("checksum is not", sum)
			}
		}
		at = end
	}
	return nil
}

// checksum is that of the header with zeros in place of the checksum at that offset.
func checksum(header []byte, at int) uint32 {
	sum := crc32.Checksum(header[:at], castagnoli)
	sum = crc32.Update(sum, castagnoli, make([]byte, 4))
	return crc32.Update(sum, castagnoli, header[at+4:])
}
