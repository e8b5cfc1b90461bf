package web

import "crypto/rand"

// parts makes the body of several ranges, a multipart/byteranges (RFC 9110, section 14.6).
func (p *Plan) parts(c *contents, ranges []byteRange) {
	// Nobody can have put a boundary that is not known before into the contents.
	boundary := rand.Text()
	kind := p.Response.contentType
	p.Response.Status = 206
	p.Response.contentType = "multipart/byteranges; boundary=" + boundary
	for _, r := range ranges {
		b := append([]byte("\r\n--"), boundary...)
		b = append(b, '\r', '\n')
		if kind != "" {
			b = appendField(b, "Content-Type", kind)
		}
		b = append(b, "Content-Range: "...)
		b = append(r.AppendContentRange(b, c.size), "\r\n\r\n"...)
		p.addText(string(b))
		if p.add(c, r); p.Response.Status != 206 {
			return
		}
	}
	p.addText("\r\n--" + boundary + "--\r\n")
}
