package web

import "strings"

// A coding is a content coding (RFC 9110, section 8.4.1).
type coding uint8

const (
	identity coding = iota
	gzipCoding
	zstdCoding
	brotliCoding // only of files that are there
	codings
)

// String is the name of the coding in Content-Encoding.
func (c coding) String() string { return [codings]string{"identity", "gzip", "zstd", "br"}[c] }

func (c coding) extension() string { return [codings]string{"", ".gz", ".zst", ".br"}[c] }

func codingOf(name string) (c coding, known bool) {
	for c = range codings {
		if equalFold(name, c.String()) {
			return c, true
		}
	}
	return gzipCoding, equalFold(name, "x-gzip") // RFC 9110, section 8.4.1.3
}

// codingWeights say in thousandths how much a client wants each coding, 0 for not at all. For
// identity, 0 means that nothing else should be preferred less.
type codingWeights [codings]uint16

// codingWeights reads Accept-Encoding (RFC 9110, section 12.5.3). Of elements that name the
// same coding the first counts, one that is malformed is as if it were not there. The star
// speaks for gzip and for no younger coding, which a client should know by name.
func (r *Request) codingWeights() (w codingWeights) {
	var named [codings]bool
	var star uint16
	starred := false
	for _, f := range r.fields {
		if !equalFold(r.view(f.name), "Accept-Encoding") {
			continue
		}
		for list, more := string(r.view(f.value)), true; more; {
			var item string
			item, list, more = strings.Cut(list, ",")
			name, weight, ok := splitWeight(item)
			if !ok {
				continue
			}
			if name == "*" {
				if !starred {
					star, starred = weight, true
				}
			} else if c, known := codingOf(name); known && !named[c] {
				w[c], named[c] = weight, true
			}
		}
	}
	for _, c := range [...]coding{identity, gzipCoding} {
		if !named[c] {
			w[c] = star
		}
	}
	return w
}

// best is the most wanted one of offers, of equal ones the first; identity if the client
// wants none or prefers that.
func (w *codingWeights) best(offers ...coding) coding {
	best := identity
	for _, c := range offers {
		if w[c] > 0 && (w[c] > w[best] || best == identity && w[c] == w[best]) {
			best = c
		}
	}
	return best
}

// wantedCoding is the coding in which a response to r is best sent.
func (r *Request) wantedCoding() coding {
	if len(r.fields) == 0 {
		return r.coding // the head has gone out with it before
	}
	w := r.codingWeights()
	return w.best(zstdCoding, gzipCoding)
}

// splitWeight reads an element with an optional weight, such as "gzip; q=0.5" (RFC 9110,
// section 12.4.2).
func splitWeight(item string) (name string, thousandths uint16, ok bool) {
	name, parameter, weighted := strings.Cut(item, ";")
	if name = trim(name); name == "" {
		return "", 0, false
	}
	if !weighted {
		return name, 1000, true
	}
	parameter = trim(parameter)
	if len(parameter) < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=' {
		return "", 0, false
	}
	thousandths, ok = parseWeight(parameter[2:])
	return name, thousandths, ok
}

// parseWeight reads 0 to 1 with at most three decimals.
func parseWeight(s string) (thousandths uint16, ok bool) {
	if s[0] != '0' && s[0] != '1' || len(s) > 5 || len(s) > 1 && s[1] != '.' {
		return 0, false
	}
	thousandths = uint16(s[0]-'0') * 1000
	scale := uint16(100)
	for i := 2; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
		thousandths += uint16(s[i]-'0') * scale
		scale /= 10
	}
	return thousandths, thousandths <= 1000
}
