package workerman

import (
	"github.com/workerman-go/workerman/web"
)

// formUpload is a request with a multipart form. The body goes through the reader as it
// arrives, and files to the disk; the request is handed out when all of it is there.
type formUpload struct {
	request *web.Request // a copy, since the head's bytes are lent
	reader  *web.FormReader
	form    *web.Form // once it is complete
}

// beginForm starts to read the form of the request whose head is in r.
func (h *httpConn) beginForm(c *Conn, r *web.Request) error {
	reader, err := web.NewFormReader(r.Header("Content-Type"), &c.settings.http.options)
	if err != nil {
		return err
	}
	h.upload.Store(&formUpload{request: r.Clone(), reader: reader})
	h.form = true
	h.phase = httpIdle
	if r.ExpectContinue() {
		c.SendRaw(continueLine)
	}
	return nil
}

// formStep reads a piece of the form, or hands the request out with all of it.
func (h *httpConn) formStep(c *Conn, r *web.Request, step web.Step) (err error) {
	u := h.upload.Load()
	if step == web.GotPiece {
		return u.reader.Write(r.Body())
	}
	h.form = false
	if u.form, err = u.reader.Close(); err != nil {
		return err
	}
	u.request.AttachForm(u.form)
	h.dispatch(c, u.request, false)
	return nil
}

// remove deletes the files that nobody has saved.
func (u *formUpload) remove() { u.form.Remove() }

// drop is remove for a connection that is gone.
func (u *formUpload) drop() {
	u.reader.Discard()
	if u.form != nil {
		u.form.Remove()
	}
}
