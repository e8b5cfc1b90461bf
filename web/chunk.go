package web

import "strconv"

// AppendChunk appends data as a chunk of a chunked body (RFC 9112, section 7.1). Without
// data it appends nothing, as an empty chunk would end the body.
func AppendChunk[T []byte | string](dst []byte, data T) []byte {
	if len(data) == 0 {
		return dst
	}
	dst = strconv.AppendUint(dst, uint64(len(data)), 16)
	dst = append(dst, '\r', '\n')
	dst = append(dst, data...)
	return append(dst, '\r', '\n')
}

// AppendLastChunk ends a chunked body, with trailer fields if there are any (RFC 9112,
// section 7.1.2). One that Set would refuse, or that is not allowed in a trailer since it
// concerns the reading of the message, is left out.
func AppendLastChunk(dst []byte, trailers ...Field) []byte {
	dst = append(dst, "0\r\n"...)
	for _, f := range trailers {
		if name, value, ok := checkField(f.Name, f.Value); ok && !forbiddenTrailer(name) {
			dst = appendField(dst, name, value)
		}
	}
	return append(dst, '\r', '\n')
}
