package web

import "strconv"

// Error is why a request was refused. After it the parser gives nothing else, as nobody
// knows where the next request would begin: answer and close.
type Error struct {
	// Status is the status code to answer with.
	Status int
	// Reason says what was wrong, for logs.
	Reason string
}

// Error is the status code and the reason.
func (e *Error) Error() string { return "http: " + strconv.Itoa(e.Status) + ": " + e.Reason }

// Response is the answer to the refused request: the status as text, and Connection:
// close. Append it with the zero Exchange. The reason is not told to the client.
func (e *Error) Response() *Response {
	r := Status(e.Status)
	r.Close = true
	return r
}

// The errors of requests are values, so that refusing costs no memory.
var (
	errLineFeed     = &Error{400, "line feed without carriage return"}
	errBlankLines   = &Error{400, "too many empty lines before the request line"}
	errRequestLine  = &Error{400, "malformed request line"}
	errMethod       = &Error{400, "method is not a token"}
	errTarget       = &Error{400, "bad request target"}
	errAuthority    = &Error{400, "bad authority in the request target"}
	errVersion      = &Error{400, "malformed protocol version"}
	errFold         = &Error{400, "folded header line"}
	errFieldName    = &Error{400, "bad field name"}
	errSpaceColon   = &Error{400, "space before the colon of a field"}
	errFieldValue   = &Error{400, "control character in a field value"}
	errNoHost       = &Error{400, "no Host"}
	errTwoHosts     = &Error{400, "more than one Host"}
	errHost         = &Error{400, "bad Host"}
	errLength       = &Error{400, "Content-Length is not a number"}
	errTwoLengths   = &Error{400, "more than one Content-Length"}
	errBothLengths  = &Error{400, "Content-Length and Transfer-Encoding"}
	errCoding       = &Error{400, "Transfer-Encoding does not end with a single chunked"}
	errOldCoding    = &Error{400, "Transfer-Encoding in HTTP/1.0"}
	errChunkSize    = &Error{400, "bad chunk size"}
	errExtension    = &Error{400, "bad chunk extension"}
	errExtensions   = &Error{400, "chunk extensions too long"}
	errChunkEnd     = &Error{400, "no line end after a chunk"}
	errTrailer      = &Error{400, "field not allowed in a trailer"}
	errBody         = &Error{413, "body too long"}
	errLongLine     = &Error{414, "request line too long"}
	errExpect       = &Error{417, "unknown expectation"}
	errLongHeader   = &Error{431, "header too long"}
	errManyFields   = &Error{431, "too many header fields"}
	errLongTrailer  = &Error{431, "trailer too long"}
	errUnknownCode  = &Error{501, "unknown transfer coding"}
	errUnknownVerb  = &Error{501, "unknown method"}
	errOtherVersion = &Error{505, "protocol version is not HTTP/1.x"}
)
