package workerman

import (
	"sync/atomic"

	"github.com/workerman-go/workerman/http"
)

// formUpload is a request with a multipart form. The body goes through the reader as it
// arrives, and files to the disk; the request is handed out when all of it is there.
type formUpload struct {
	request *http.Request // a copy, since the head's bytes are lent
	reader  *http.FormReader
	form    atomic.Pointer[http.Form] // once it is complete, until its files are removed
}

// beginForm starts to read the form of the request whose head is in r.
func (h *httpConn) beginForm(c *Conn, r *http.Request) error {
	reader, err := http.NewFormReader(r.Header("Content-Type"), c.svc.http)
	if err != nil {
		return err
	}
	h.upload, h.form = &formUpload{request: r.Clone(), reader: reader}, true
	h.phase = httpIdle
	if r.ExpectContinue() {
		c.SendRaw(continueLine)
	}
	return nil
}

// formStep reads a piece of the form, or hands the request out with all of it.
func (h *httpConn) formStep(c *Conn, r *http.Request, step http.Step) error {
	u := h.upload
	if step == http.GotPiece {
		return u.reader.Write(r.Body())
	}
	h.form = false
	form, err := u.reader.Close()
	if err != nil {
		return err
	}
	u.form.Store(form)
	u.request.AttachForm(form)
	h.ask(c, u.request, false)
	return nil
}

// remove deletes the files that nobody has saved. The answer, and the end of the
// connection, may ask for it at the same time.
func (u *formUpload) remove() {
	if u == nil {
		return
	}
	if form := u.form.Swap(nil); form != nil {
		form.Remove()
	}
}

// drop is remove for a connection that is gone.
func (u *formUpload) drop() {
	if u != nil {
		u.reader.Discard()
		u.remove()
	}
}
