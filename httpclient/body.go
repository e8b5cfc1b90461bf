package httpclient

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/workerman-go/workerman"
)

// body is that of an answer. A server that is silent while it is read ends the call.
type body struct {
	from  io.ReadCloser
	size  int64 // as announced, -1 if it was not
	limit time.Duration
	timer *time.Timer // nil without a limit; runs during Read
}

func (c *Call) body(answer *http.Response) *body {
	b := &body{from: answer.Body, size: answer.ContentLength, limit: c.client.IdleTimeout}
	if b.limit > 0 {
		b.timer = time.AfterFunc(b.limit, func() {
			c.cancel(timeoutError(fmt.Sprintf("the server was silent for %v", b.limit)))
		})
		b.timer.Stop()
	}
	return b
}

func (b *body) Read(p []byte) (int, error) {
	if b.timer != nil {
		b.timer.Reset(b.limit)
		defer b.timer.Stop()
	}
	return b.from.Read(p)
}

// all reads a body that has to be no larger than limit.
func (b *body) all(limit int64) ([]byte, error) {
	tooLarge := fmt.Errorf("%w: the body has more than %d bytes", workerman.ErrTooLarge, limit)
	if b.size > limit {
		return nil, tooLarge
	}
	data, err := io.ReadAll(io.LimitReader(b, max(limit, limit+1)))
	if int64(len(data)) > limit {
		return nil, tooLarge
	}
	return data, err
}

func (b *body) close() { b.from.Close() }
