// Package web is the server side of HTTP/1.1: request values out of bytes, bytes out of
// response values. It is sans-I/O: it knows no socket, no connection, no clock and starts
// no goroutine. Only what is about files touches these: File, Dir, Plan, FormReader, Upload.
//
// A Parser belongs to one connection and is fed with what has arrived. It fills a
// Request, which may serve all connections of an event loop, one after the other:
//
//	for {
//		used, step, err := parser.Parse(&request, buf)
//		buf = buf[used:]
//		switch {
//		case err != nil: // answer with err.(*web.Error).Response() and close
//		case step == web.GotRequest:
//			out = web.Text("hello").Append(out, request.Exchange(), date)
//			continue
//		}
//		break // keep buf, and call again when more has arrived
//	}
//
// Memory: a Request lies in the bytes that were given to Parse. It is lent until these
// bytes are reused or Parse is called again, whichever is first; Clone makes a copy that
// lasts. Strings that its methods return are copies and may be kept; Body is lent. Nothing
// is decoded before it is asked for, and there is no map of headers: parsing a request and
// appending an answer allocate nothing.
//
// The parser is strict (RFC 9112): where two readers of the same bytes could disagree on
// where a request ends or whom it is for, it refuses the request with an Error and the
// connection must be closed. Every part of a request has a limit in Options.
//
// A Response may be appended any number of times and from several goroutines as long as
// nobody changes it. What would let a header field break out of its line is left out and
// remembered by Err.
package web
