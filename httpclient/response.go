package httpclient

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Response is an answer: that of net/http with its status, fields and trailers, whose body
// is here.
type Response struct {
	*http.Response
	// Body is the whole body, unpacked if the client had asked for compression by itself, as
	// it does unless the request has the field Accept-Encoding. Nil in Stream.
	Body []byte
}

// JSON decodes the body into v, which has to be a pointer. It does so whatever the status
// and the type of the answer are.
func (r *Response) JSON(v any) error {
	if err := json.Unmarshal(r.Body, v); err != nil {
		return fmt.Errorf("the answer of %s: %w", r.Request.URL.Redacted(), err)
	}
	return nil
}
