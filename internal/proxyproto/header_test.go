package proxyproto

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// header2 is a header of version 2: what stands in the bytes after the signature, and a
// length that fits.
func header2(command, family byte, block string) string {
	b := append([]byte(signature2), command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(block)))
	return string(b) + block
}

func tlv(kind byte, value string) string {
	return string(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value)))) + value
}

// withChecksum fills in the checksum TLV that the header ends with.
func withChecksum(header string) string {
	b := []byte(header)
	binary.BigEndian.PutUint32(b[len(b)-4:], checksum(b, len(b)-4))
	return string(b)
}

// damaged is the header with a wrong bit in its last byte.
func damaged(header string) string {
	last := len(header) - 1
	return header[:last] + string([]byte{header[last] ^ 1})
}

const (
	addresses4 = "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb"
	addresses6 = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc6\x33\x64\x01\xdc\x04\x01\xbb"
	good4 = "192.0.2.1:56324 198.51.100.1:443"
	good6 = "[2001:db8::1]:56324 198.51.100.1:443"
)

var addressesUnix = strings.Repeat("x", 216)

var good = []struct{ in, want string }{
	{"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", good4},
	{"PROXY TCP6 2001:db8::1 ::ffff:198.51.100.1 56324 443\r\n", good6},
	{"PROXY TCP6 2001:0DB8:0000:0000:0000:0000:0000:0001 ::ffff:c633:6401 56324 443\r\n", good6},
	{"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535 255.255.255.255:65535"},
	{"PROXY TCP4 0.0.0.0 1.1.1.1 0 1\r\n", "0.0.0.0:0 1.1.1.1:1"},
	{"PROXY UNKNOWN\r\n", "local"},
	{"PROXY UNKNOWN ffff:f...f:ffff \x00 what ever\r\n", "local"},
	{"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", "local"},
	{header2(0x21, 0x11, addresses4), good4},
	{header2(0x21, 0x12, addresses4), good4},
	{header2(0x21, 0x21, addresses6), good6},
	{header2(0x21, 0x31, addressesUnix), "invalid AddrPort invalid AddrPort"},
	{header2(0x21, 0x00, ""), "local"},
	{header2(0x21, 0x00, "whatever"), "local"},
	{header2(0x21, 0x10, "short"), "local"},
	{header2(0x21, 0x01, ""), "local"},
	{header2(0x20, 0x00, ""), "local"},
	{header2(0x20, 0x11, addresses4), "local"},
	{header2(0x20, 0xff, "whatever"), "local"},
	{header2(0x21, 0x11, addresses4+tlv(4, "")), good4},
	{header2(0x21, 0x11, addresses4+tlv(2, "example.com")+tlv(0x20, "\x01\x00\x00\x00\x00")+tlv(0xea, "x")), good4},
	{header2(0x21, 0x21, addresses6+tlv(1, "h2")+tlv(4, strings.Repeat("\x00", 4096))), good6},
	{withChecksum(header2(0x21, 0x11, addresses4+tlv(1, "h2")+tlv(3, "\x00\x00\x00\x00"))), good4},
	{header2(0x21, 0x11, addresses4+tlv(4, strings.Repeat("x", MaxSize-headSize2-12-3))), good4},
	// The checksum of this one comes from another implementation, bit by bit.
	{"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x13\x7f\x00\x00\x01\x7f\x00\x00\x01\x30\x39\x1f\x90\x03\x00\x04\xf2\x58\x87\xab", "127.0.0.1:12345 127.0.0.1:8080"},
}

var bad = []string{
	"GET / HTTP/1.1\r\n", "\x16\x03\x01", "proxy TCP4", "PROXX", "\n", "\r\r", "\x00", "\r\n\r\n\x00\r\nQUIX",
	"PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n", "PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n", "PROXY tcp4 1.1.1.1 1.1.1.1 1 1\r\n",
	"PROXY  TCP4 1.1.1.1 1.1.1.1 1 1\r\n", "PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP4 \r\n", "PROXY UNKNOWNX\r\n",
	"PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 \r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n",
	"PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n", "PROXY TCP4 1.1.1.1  1.1.1.1 1 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1  1 1\r\n",
	"PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 65536\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n",
	"PROXY TCP4 1.1.1.1 1.1.1.1 +1 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 x\r\n", "PROXY TCP4 1.1.1.1\t1.1.1.1 1 1\r\n",
	"PROXY TCP4 01.1.1.1 1.1.1.1 1 1\r\n", "PROXY TCP4 1.1.1 1.1.1.1 1 1\r\n", "PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n",
	"PROXY TCP4 ::1 1.1.1.1 1 1\r\n", "PROXY TCP4 1.1.1.1 ::1 1 1\r\n", "PROXY TCP6 1.1.1.1 ::1 1 1\r\n",
	"PROXY TCP6 ::1 ::1%lo 1 1\r\n", "PROXY TCP6 [::1] ::1 1 1\r\n", "PROXY TCP6 :::1 ::1 1 1\r\n",
	"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\rX", "PROXY TCP4 1.1.1.1\r\n1.1.1.1 1 1\r\n",
	"PROXY UNKNOWN " + strings.Repeat("x", maxSize1), "PROXY UNKNOWN " + strings.Repeat("x", maxSize1-14-1) + "\r\n",
	header2(0x11, 0x11, addresses4), header2(0x01, 0x11, addresses4), header2(0x31, 0x11, addresses4), header2(0x22, 0x11, addresses4),
	header2(0x21, 0x41, addresses4), header2(0x21, 0x13, addresses4), header2(0x21, 0x11, addresses4[1:]),
	header2(0x21, 0x21, addresses6[1:]), header2(0x21, 0x31, addressesUnix[1:]),
	header2(0x21, 0x11, addresses4+"\x04"), header2(0x21, 0x11, addresses4+"\x04\x00"), header2(0x21, 0x11, addresses4+"\x04\x00\x01"),
	header2(0x21, 0x11, addresses4+tlv(4, "")+"\x04\x00\x02x"), header2(0x21, 0x11, addresses4+tlv(3, "\x00\x00\x00\x00")),
	header2(0x21, 0x11, addresses4+tlv(3, "abc")), header2(0x21, 0x11, addresses4+tlv(3, "abcde")),
	damaged(withChecksum(header2(0x21, 0x11, addresses4+tlv(3, "\x00\x00\x00\x00")))),
	header2(0x20, 0x00, strings.Repeat("x", MaxSize)), header2(0x21, 0x11, addresses4+tlv(4, strings.Repeat("x", MaxSize))),
}

func (h Header) String() string {
	if h.Local {
		return "local"
	}
	return fmt.Sprint(h.Source, " ", h.Destination)
}

// feed gives Parse one byte more at a time. It returns what Parse says at last and how many
// bytes it had then.
func feed(in string) (h Header, n, had int, err error) {
	for had = 0; had <= len(in); had++ {
		if h, n, err = Parse([]byte(in[:had])); n > 0 || err != nil {
			return h, n, had, err
		}
	}
	return h, 0, len(in), nil
}

func TestHeaders(t *testing.T) {
	for _, c := range good {
		for _, tail := range []string{"", "PROXY GET / HTTP/1.1\r\n\r\n", "\x00"} {
			h, n, err := Parse([]byte(c.in + tail))
			if err != nil || n != len(c.in) || h.String() != c.want {
				t.Errorf("%.80q: %v, %d, %v, want %s", c.in, h, n, err, c.want)
			}
			h, n, had, err := feed(c.in + tail)
			if err != nil || n != len(c.in) || had != n || h.String() != c.want {
				t.Errorf("%.80q byte by byte: %v, %d, %v after %d, want %s", c.in, h, n, err, had, c.want)
			}
		}
	}
}

func TestMalformedHeaders(t *testing.T) {
	for _, in := range bad {
		h, n, err := Parse([]byte(in))
		if err == nil || n != 0 || h != (Header{}) {
			t.Errorf("%.80q: %v, %d, %v", in, h, n, err)
			continue
		}
		if len(err.Error()) > 400 || !strings.HasPrefix(err.Error(), "proxyproto: ") {
			t.Errorf("%.80q: %v", in, err)
		}
		if _, n, _, err := feed(in); err == nil || n != 0 {
			t.Errorf("%.80q byte by byte: %d, %v", in, n, err)
		}
	}
}

// What can never become a header is refused at its first wrong byte, not when a line or a
// block is complete, for which a peer of another protocol would never wait.
func TestEarlyRefusal(t *testing.T) {
	for in, after := range map[string]int{
		"GET / HTTP/1.1":                    1,
		"\x16\x03\x01\x02\x00":              1,
		"PRI * HTTP/2.0":                    3,
		"PROXY UDP4 ":                       8,
		"PROXY TCP7 ":                       10,
		"PROXY TCP44":                       11,
		"PROXY UNKNOWNS":                    14,
		"PROXY TCP4 1\n":                    13,
		"\r\n\r\nGET":                       5,
		signature2 + "\x31":                 13,
		signature2 + "\x2f":                 13,
		signature2 + "\x21\x51":             14,
		signature2 + "\x21\x1f":             14,
		signature2 + "\x21\x11\x00\x0b":     16,
		signature2 + "\x20\x00\x7f\xff":     16,
		"PROXY " + strings.Repeat(" ", 200): 7,
	} {
		if _, _, had, err := feed(in); err == nil || had != after {
			t.Errorf("%q: refused after %d bytes (%v), want %d", in, had, err, after)
		}
	}
	if _, _, err := Parse([]byte("GET / HTTP/1.1\r\nHost: a\r\n")); err == nil || !strings.Contains(err.Error(), `"GET / HTTP/1.1\r\n"`) {
		t.Errorf("the error does not name what came: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range good {
		f.Add([]byte(c.in))
	}
	for _, in := range bad {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1000 {
			return
		}
		h, n, err := Parse(in)
		switch {
		case n < 0 || n > len(in) || n > MaxSize || err != nil && n != 0 || n == 0 && h != (Header{}):
			t.Fatalf("%v, %d, %v", h, n, err)
		case n > 0 && !h.Local && h.Source.IsValid() != h.Destination.IsValid():
			t.Fatalf("%v", h)
		}
		h2, n2, had, err2 := feed(string(in))
		if h2 != h || n2 != n || (err2 == nil) != (err == nil) || n > 0 && had != n {
			t.Fatalf("at once %v, %d, %v; byte by byte %v, %d, %v after %d", h, n, err, h2, n2, err2, had)
		}
		// A line can be written again and is then the same, up to how addresses are spelt.
		if n > 0 && in[0] == 'P' && !h.Local {
			family := "TCP4"
			s, d := h.Source.Addr(), h.Destination.Addr()
			if strings.Contains(string(in[:n]), "TCP6") {
				family, s, d = "TCP6", netip.AddrFrom16(s.As16()), netip.AddrFrom16(d.As16())
			}
			line := fmt.Sprintf("PROXY %s %s %s %d %d\r\n", family, s, d, h.Source.Port(), h.Destination.Port())
			if again, m, err := Parse([]byte(line)); again != h || m != len(line) || err != nil {
				t.Fatalf("%q: %v, %d, %v, want %v", line, again, m, err, h)
			}
		}
	})
}
