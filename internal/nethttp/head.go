package nethttp

import (
	"fmt"
	"net/http"
	"path"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/workerman-go/workerman/web"
)

// responseHead is the head of an answer. WriteHeader notes the handler's fields in the form
// in which they leave, so that the handler may go on with its map; what depends on the body
// is decided when the first part of that is sent.
type responseHead struct {
	b          []byte
	coding     string   // Transfer-Encoding of the handler
	length     string   // Content-Length of the handler, if it is a number
	connection []string // Connection of the handler
	trailers   []string // the names that the handler has announced
	hasTrailer bool
	hasType    bool // Content-Type or Content-Encoding
	hasDate    bool
	hasServer  bool
	upgrades   bool
}

// hasBody reports whether a status lets an answer have a body (RFC 9110, section 6.4.1).
func hasBody(status int) bool { return status >= 200 && status != 204 && status != 304 }

func (d *responseHead) status(old bool, status int) {
	version := "HTTP/1.1 "
	if old {
		version = "HTTP/1.0 "
	}
	d.b = strconv.AppendInt(append(d.b, version...), int64(status), 10)
	text := http.StatusText(status)
	if text == "" {
		text = "status code " + strconv.Itoa(status)
	}
	d.b = append(append(append(d.b, ' '), text...), lineEnd...)
}

// field appends a field line. A value cannot end its line, and a name that is none is left
// out, as net/http does.
func (d *responseHead) field(name, value string) {
	if !isFieldName(name) {
		return
	}
	d.b = append(append(d.b, name...), ": "...)
	start := len(d.b)
	d.b = append(d.b, strings.Trim(value, " \t\r\n")...)
	for i, c := range d.b[start:] {
		if c == '\r' || c == '\n' {
			d.b[start+i] = ' '
		}
	}
	d.b = append(d.b, lineEnd...)
}

// isFieldName reports whether name is a token (RFC 9110, section 5.6.2).
func isFieldName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c-'0' >= 10 && (c|0x20)-'a' >= 26 && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return name != ""
}

// fields appends a header in the order of its names, except what skip says.
func (d *responseHead) fields(header http.Header, skip func(name string, values []string) bool) {
	var room [16]string
	names := room[:0]
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := header[name]
		if skip(name, values) {
			continue
		}
		for _, value := range values {
			d.field(name, value)
		}
	}
}

// announce is a whole interim response.
func (d *responseHead) announce(status int, header http.Header) {
	d.status(false, status)
	d.fields(header, func(name string, _ []string) bool {
		return name == "Content-Length" || name == "Transfer-Encoding"
	})
	d.b = append(d.b, lineEnd...)
}

// take notes the status and the handler's fields.
func (d *responseHead) take(w *response) {
	d.status(w.old, w.status)
	if len(w.header) == 0 {
		return
	}
	d.fields(w.header, func(name string, values []string) bool { return d.note(w, name, values) })
	if d.length != "" && d.coding != "" && d.coding != "identity" {
		w.warn("Content-Length is ignored beside Transfer-Encoding")
		d.length, w.declared = "", -1
	}
}

// note looks at a field and reports whether it has to wait for the body, or must not leave.
func (d *responseHead) note(w *response, name string, values []string) (waits bool) {
	first := ""
	if len(values) > 0 {
		first = values[0]
	}
	switch name {
	case "Content-Length":
		if first == "" {
			return true
		}
		if n, err := strconv.ParseInt(first, 10, 64); err == nil && n >= 0 {
			w.declared, d.length = n, first
		} else {
			w.warn(fmt.Sprintf("invalid Content-Length %q", first))
			w.header.Del(name)
		}
		return true
	case "Transfer-Encoding":
		d.coding = first
		return true
	case "Connection":
		d.connection = slices.Clone(values)
		return true
	case "Content-Type":
		d.hasType = true
		return w.status == http.StatusNotModified
	case "Content-Encoding":
		d.hasType = d.hasType || first != ""
	case "Date":
		d.hasDate = true
	case "Server":
		d.hasServer = true
	case "Upgrade":
		d.upgrades = w.status == http.StatusSwitchingProtocols
	case "Trailer":
		d.hasTrailer = true
		for _, list := range values {
			for item := range strings.SplitSeq(list, ",") {
				if item = strings.Trim(item, " \t"); item != "" {
					d.trailers = append(d.trailers, http.CanonicalHeaderKey(item))
				}
			}
		}
	default:
		if strings.HasPrefix(name, http.TrailerPrefix) {
			d.hasTrailer = true
			return true
		}
	}
	return false
}

// complete decides what depends on the body, whose first bytes are body and p, and returns
// the head.
func (d *responseHead) complete(w *response, body, p []byte) []byte {
	framed := hasBody(w.status)
	if w.done && !d.hasTrailer && d.coding == "" && framed && d.length == "" && (!w.isHead || len(body) > 0) {
		w.declared = int64(len(body))
		d.length = strconv.Itoa(len(body))
	}
	d.endings(w)
	if len(body)+len(p) > 0 && framed && !d.hasType && d.coding == "" {
		if len(body) == 0 {
			body = p
		} else if len(body) < sniffed && len(p) > 0 {
			body = append(body[:len(body):len(body)], p[:min(len(p), sniffed)]...)
		}
		d.field("Content-Type", http.DetectContentType(body))
	}
	if !d.hasDate {
		d.b = web.AppendDate(append(d.b, "Date: "...), time.Now())
		d.b = append(d.b, lineEnd...)
	}
	if name := w.h.options.Server; name != "" && !d.hasServer {
		d.field("Server", name)
	}
	d.framing(w, framed)
	d.b = append(d.b, lineEnd...)
	return d.b
}

// sniffed is how many bytes DetectContentType looks at.
const sniffed = 512

// endings decides whether the connection ends with the answer (RFC 9112, section 9.3).
func (d *responseHead) endings(w *response) {
	first := ""
	if len(d.connection) > 0 {
		first = d.connection[0]
	}
	switch {
	case first == "close", !w.keepAlive:
		w.last = true
	case w.old && (w.isHead || d.length != "" || !hasBody(w.status)):
		if d.connection == nil {
			d.connection = []string{"keep-alive"}
		}
	case w.old:
		w.last = true
	}
	if w.h.in.uninvited() || w.done && w.leavesBody() {
		w.last = true
	}
}

// framing appends the fields that say where the body ends, and whether the connection does.
func (d *responseHead) framing(w *response, framed bool) {
	switch {
	case !framed:
	case w.isHead:
		if d.length != "" {
			d.field("Content-Length", d.length)
		}
	case d.length != "":
		d.field("Content-Length", d.length)
	case w.old, d.coding == "identity":
		w.last = true
	default:
		w.chunked = true
		if d.coding != "" && d.coding != "chunked" {
			d.field("Transfer-Encoding", d.coding)
		}
		d.field("Transfer-Encoding", "chunked")
	}
	if w.last && !d.upgrades && !slices.ContainsFunc(d.connection, isClose) {
		d.connection = nil
		if !w.old {
			d.connection = []string{"close"}
		}
	}
	for _, option := range d.connection {
		d.field("Connection", option)
	}
}

// isClose reports whether a value of Connection has the option close.
func isClose(list string) bool {
	for option := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.Trim(option, " \t"), "close") {
			return true
		}
	}
	return false
}

// trailer is the handler's trailer, at the end of the body.
func (d *responseHead) trailer(header http.Header) (fields []web.Field) {
	for name, values := range header {
		if name, found := strings.CutPrefix(name, http.TrailerPrefix); found {
			for _, value := range values {
				fields = append(fields, web.Field{Name: name, Value: value})
			}
		}
	}
	for _, name := range d.trailers {
		for _, value := range header[name] {
			fields = append(fields, web.Field{Name: name, Value: value})
		}
	}
	return fields
}

// warn logs a mistake of the handler and where it was made.
func (w *response) warn(what string) {
	w.h.conn.Warn(what, handlerFrame())
}

// ownFunctions is what the names of this package's functions begin with.
var ownFunctions = reflect.TypeFor[Handling]().PkgPath() + "."

// handlerFrame is the innermost place on the stack outside of this package and net/http.
func handlerFrame() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, ownFunctions) && !strings.HasPrefix(frame.Function, "net/http.") {
			return fmt.Sprintf("%s (%s:%d)", frame.Function, path.Base(frame.File), frame.Line)
		}
		if !more {
			return "unknown"
		}
	}
}
