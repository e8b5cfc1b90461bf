package websocket

import (
	"slices"
	"strconv"
	"strings"
)

// extension is one element of a Sec-WebSocket-Extensions list.
type extension struct {
	name       string
	parameters []parameter
}

type parameter struct {
	name, value string
	hasValue    bool
}

// The names of RFC 7692 sections 7 and 7.1.
const (
	deflateName             = "permessage-deflate"
	serverNoContextTakeover = "server_no_context_takeover"
	clientNoContextTakeover = "client_no_context_takeover"
	serverMaxWindowBits     = "server_max_window_bits"
	clientMaxWindowBits     = "client_max_window_bits"
)

// parseExtensions parses a list by the grammar of RFC 6455 section 9.1. It is false if
// the list does not follow it. An empty list is allowed.
func parseExtensions(list string) ([]extension, bool) {
	s := scanner(list)
	if s.skipSpace(); s == "" {
		return nil, true
	}
	var all []extension
	for {
		e := extension{name: s.token()}
		if e.name == "" {
			return nil, false
		}
		for s.take(';') {
			p := parameter{name: s.token()}
			if p.name == "" {
				return nil, false
			}
			if s.take('=') {
				p.hasValue = true
				if p.value = s.value(); !isToken(p.value) {
					return nil, false
				}
			}
			e.parameters = append(e.parameters, p)
		}
		all = append(all, e)
		if s == "" {
			return all, true
		}
		if !s.take(',') {
			return nil, false
		}
	}
}

// scanner is the rest of a list that is parsed.
type scanner string

func (s *scanner) skipSpace() { *s = scanner(strings.TrimLeft(string(*s), " \t")) }

// take takes the byte c, if it is next, with the white space around it.
func (s *scanner) take(c byte) bool {
	s.skipSpace()
	if *s == "" || (*s)[0] != c {
		return false
	}
	*s = (*s)[1:]
	s.skipSpace()
	return true
}

// token takes a token and the white space behind it; it is empty if there is none.
func (s *scanner) token() string {
	n := 0
	for n < len(*s) && isTokenByte((*s)[n]) {
		n++
	}
	t := string((*s)[:n])
	*s = (*s)[n:]
	s.skipSpace()
	return t
}

// value takes a token or a quoted string, which has to be a token when it is unquoted.
func (s *scanner) value() string {
	if *s == "" || (*s)[0] != '"' {
		return s.token()
	}
	var v []byte
	for i := 1; i < len(*s); i++ {
		switch c := (*s)[i]; c {
		case '"':
			*s = (*s)[i+1:]
			s.skipSpace()
			return string(v)
		case '\\':
			if i++; i < len(*s) {
				v = append(v, (*s)[i])
			}
		default:
			v = append(v, c)
		}
	}
	return ""
}

// deflateParameters are the parameters of one permessage-deflate element. Window bits are
// 0 where they are not mentioned.
type deflateParameters struct {
	serverNoContext, clientNoContext bool
	serverBits, clientBits           uint8
	clientBitsMentioned              bool // in an offer without a value too
}

// deflateParameters is false for what RFC 7692 section 7.1 declares invalid: unknown
// names, names that come twice, wrong or missing values.
func (e extension) deflateParameters(offer bool) (p deflateParameters, ok bool) {
	for i, x := range e.parameters {
		if slices.ContainsFunc(e.parameters[:i], func(y parameter) bool { return y.name == x.name }) {
			return p, false
		}
		switch x.name {
		case serverNoContextTakeover:
			p.serverNoContext, ok = true, !x.hasValue
		case clientNoContextTakeover:
			p.clientNoContext, ok = true, !x.hasValue
		case serverMaxWindowBits:
			p.serverBits, ok = parseWindowBits(x.value)
		case clientMaxWindowBits:
			p.clientBitsMentioned = true
			// Only in an offer the value may be missing: there the name says that the
			// client can be limited.
			if p.clientBits, ok = parseWindowBits(x.value); offer && !x.hasValue {
				ok = true
			}
		default:
			ok = false
		}
		if !ok {
			return p, false
		}
	}
	return p, true
}

// parseWindowBits takes a decimal number from 8 to 15 without leading zeros.
func parseWindowBits(s string) (uint8, bool) {
	i := slices.Index([]string{"8", "9", "10", "11", "12", "13", "14", "15"}, s)
	if i < 0 {
		return 0, false
	}
	return uint8(minWindowBits + i), true
}

func orMaximum(bits uint8) uint8 {
	if bits == 0 {
		return maxWindowBits
	}
	return bits
}

// accept selects the first of the client's offers that can be accepted, RFC 7692 section
// 5.1. Invalid offers are declined and other extensions ignored.
func (c *Compression) accept(offers []extension) Deflate {
	if !c.Enabled {
		return Deflate{}
	}
	for _, e := range offers {
		if !strings.EqualFold(e.name, deflateName) {
			continue
		}
		if p, ok := e.deflateParameters(true); ok {
			return c.answer(p)
		}
	}
	return Deflate{}
}

// answer is what a server agrees on. All valid offers can be accepted: the compressor can
// be limited to each window size, and a client that cannot limit its own is asked to do
// without context takeover where the memory for its window is not wanted.
func (c *Compression) answer(p deflateParameters) Deflate {
	own := c.windowBits()
	d := Deflate{
		Enabled:                 true,
		ServerNoContextTakeover: p.serverNoContext || !c.ContextTakeover || c.Stateless && own == maxWindowBits,
		ClientNoContextTakeover: p.clientNoContext || !c.ContextTakeover,
		ServerMaxWindowBits:     min(own, orMaximum(p.serverBits)),
		ClientMaxWindowBits:     orMaximum(p.clientBits),
	}
	switch {
	case p.clientBitsMentioned:
		d.ClientMaxWindowBits = min(d.ClientMaxWindowBits, own)
	case own < maxWindowBits:
		d.ClientNoContextTakeover = true
	}
	return d
}

// answers returns the first of the offers that d is a valid answer to, RFC 7692 section
// 7.1.
func (d Deflate) answers(offers []extension) (p deflateParameters, ok bool) {
	if !d.valid() {
		return p, false
	}
	for _, e := range offers {
		if !strings.EqualFold(e.name, deflateName) {
			continue
		}
		if p, ok := e.deflateParameters(true); ok && d.within(p) {
			return p, true
		}
	}
	return p, false
}

func (d Deflate) valid() bool {
	return d.ServerMaxWindowBits >= minWindowBits && d.ServerMaxWindowBits <= maxWindowBits &&
		d.ClientMaxWindowBits >= minWindowBits && d.ClientMaxWindowBits <= maxWindowBits
}

// within reports whether d keeps to what an offer demands. The server may go further by
// itself, but must not limit the window of a client that did not say it can be limited.
func (d Deflate) within(p deflateParameters) bool {
	switch {
	case p.serverNoContext && !d.ServerNoContextTakeover,
		d.ServerMaxWindowBits > orMaximum(p.serverBits),
		!p.clientBitsMentioned && d.ClientMaxWindowBits != maxWindowBits,
		d.ClientMaxWindowBits > orMaximum(p.clientBits):
		return false
	}
	return true
}

// appendAnswer appends the element of a server's answer to the offer p.
func (d Deflate) appendAnswer(dst []byte, p deflateParameters) []byte {
	dst = append(dst, deflateName...)
	if d.ServerNoContextTakeover {
		dst = append(dst, "; "+serverNoContextTakeover...)
	}
	if d.ClientNoContextTakeover {
		dst = append(dst, "; "+clientNoContextTakeover...)
	}
	// A server accepts a limit by naming one, be it the largest.
	if d.ServerMaxWindowBits != maxWindowBits || p.serverBits != 0 {
		dst = strconv.AppendUint(append(dst, "; "+serverMaxWindowBits+"="...), uint64(d.ServerMaxWindowBits), 10)
	}
	if d.ClientMaxWindowBits != maxWindowBits {
		dst = strconv.AppendUint(append(dst, "; "+clientMaxWindowBits+"="...), uint64(d.ClientMaxWindowBits), 10)
	}
	return dst
}

// offer returns what a client offers, the preferred offer first. With smaller windows
// there is a second one for servers that cannot limit theirs: these are to do without
// context takeover, so that their window costs no memory between messages.
func (c *Compression) offer() string {
	if !c.Enabled {
		return ""
	}
	mine := "; " + clientMaxWindowBits
	own := c.windowBits()
	if own < maxWindowBits {
		mine += "=" + strconv.Itoa(int(own))
	}
	if c.Stateless && own == maxWindowBits || !c.ContextTakeover {
		mine += "; " + clientNoContextTakeover
	}
	alone := deflateName + "; " + serverNoContextTakeover + mine
	switch {
	case !c.ContextTakeover:
		return alone
	case own == maxWindowBits:
		return deflateName + mine
	}
	return deflateName + "; " + serverMaxWindowBits + "=" + strconv.Itoa(int(own)) + mine + ", " + alone
}

// agree returns what a client is bound to by the server's answer. It is false if the
// answer does not belong to the offer, which has to end the connection, RFC 7692 section
// 7.1 and RFC 6455 section 9.1.
func (c *Compression) agree(answer []extension) (d Deflate, ok bool) {
	if len(answer) == 0 {
		return Deflate{}, true
	}
	offers, _ := parseExtensions(c.offer())
	if len(answer) > 1 || !strings.EqualFold(answer[0].name, deflateName) {
		return Deflate{}, false
	}
	p, ok := answer[0].deflateParameters(false)
	if !ok {
		return Deflate{}, false
	}
	own := c.windowBits()
	d = Deflate{
		Enabled:                 true,
		ServerNoContextTakeover: p.serverNoContext,
		ClientNoContextTakeover: p.clientNoContext || !c.ContextTakeover,
		ServerMaxWindowBits:     orMaximum(p.serverBits),
		ClientMaxWindowBits:     p.clientBits,
	}
	// A server that names no limit allows the largest window, not only the offered one.
	if !p.clientBitsMentioned {
		d.ClientMaxWindowBits = own
	}
	if _, ok = d.answers(offers); !ok {
		return Deflate{}, false
	}
	return d, true
}
