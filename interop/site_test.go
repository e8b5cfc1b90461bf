package interop

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// large is a body of 20 MB, which needs many turns of the loop, and no two parts of which
// are the same.
var large = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < 20_000_000; i++ {
		fmt.Fprintf(&b, "%d ", i)
	}
	return b.Bytes()
})

// page is a text that compresses well.
var page = strings.Repeat("The quick brown fox jumps over the lazy dog.\n", 400)

// digest is the length and the checksum of a body.
func digest(b []byte) string { return fmt.Sprintf("%d %x", len(b), sha256.Sum256(b)) }

// site configures an http:// worker that has something of everything.
func site(t *testing.T) func(w *workerman.Worker) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "large.bin"), large(), 0o644); err != nil {
		t.Fatal(err)
	}
	files := &web.Dir{Root: root, Prefix: "/files/"}
	return func(w *workerman.Worker) {
		w.MaxPackageSize = 64 << 20
		w.HTTP.Compress.Enabled = true
		w.HTTP.UploadDir = t.TempDir()
		w.OnRequest = func(c *workerman.Conn, r *web.Request) { visit(c, r, files) }
		w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
	}
}

// visit answers a request by its path.
func visit(c *workerman.Conn, r *web.Request, files *web.Dir) {
	switch path := r.Path(); {
	case path == "/echo":
		c.Respond(web.Text(fmt.Sprintf("%s %s %q %q", r.Method(), r.Protocol(), r.RawQuery(), r.Body())))
	case path == "/digest":
		c.Respond(web.Text(digest(r.Body())))
	case path == "/page":
		c.Respond(web.Text(page))
	case path == "/upload":
		var b strings.Builder
		fmt.Fprintf(&b, "note=%s", r.Form("note"))
		for _, u := range r.Uploads() {
			content, err := u.Bytes()
			if err != nil {
				c.Respond(web.Status(500))
				return
			}
			fmt.Fprintf(&b, "\n%s %s %s %s", u.Field, u.Name, u.Type, digest(content))
		}
		c.Respond(web.Text(b.String()))
	case path == "/chunks":
		s, err := c.Stream(web.Text("one,"))
		if err == nil {
			s.Write([]byte("two,"))
			s.Write([]byte("three"))
			s.End()
		}
	case path == "/events":
		s, err := c.Stream(web.EventStream())
		if err != nil {
			return
		}
		s.Event(web.ServerSentEvent{Event: "tick", ID: "1", Data: "first\nevent"})
		// The second waits until somebody says that the first has arrived.
		c.Data = s
	case path == "/go-on":
		for other := range c.Worker().Connections() {
			if s, ok := other.Data.(*workerman.Stream); ok {
				s.Event(web.ServerSentEvent{ID: "2", Data: "second"})
				s.End()
				other.Data = nil
			}
		}
		c.Respond(web.Status(204))
	case path == "/login":
		c.Respond(web.Text("hello").AddCookie(web.Cookie{Name: "sid", Value: "a b;c", Path: "/", HTTPOnly: true}))
	case path == "/whoami":
		c.Respond(web.Text(r.Cookie("sid")))
	case path == "/client":
		c.Respond(web.Text(fmt.Sprintf("%v %v %s", c.ClientIP(r), c.RemoteIP(), c.Worker().TrustedProxies.Scheme(r, c.RemoteIP()))))
	case path == "/ws":
		c.Upgrade(r)
	case strings.HasPrefix(path, "/files/"):
		c.Respond(files.Serve(r))
	default:
		c.Respond(web.Status(404))
	}
}
