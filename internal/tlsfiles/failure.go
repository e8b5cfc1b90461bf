package tlsfiles

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Explain turns the error of a handshake into one that says who did what. It wraps err.
func Explain(err error) error {
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &header) && isHTTP(string(header.RecordHeader[:])):
		return fmt.Errorf("client sent plain HTTP to a TLS port: %w", err)
	case errors.As(err, &header):
		return fmt.Errorf("client does not speak TLS: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("client left in the middle: %w", err)
	}
	return err
}

// PlainHTTP returns the connection, in clear, of a client whose handshake failed because it
// sent plain HTTP; nil if err has another reason.
func PlainHTTP(err error) net.Conn {
	var header tls.RecordHeaderError
	if errors.As(err, &header) && isHTTP(string(header.RecordHeader[:])) {
		return header.Conn
	}
	return nil
}

// isHTTP recognizes the beginning of a request in the place of a record's five bytes.
func isHTTP(head string) bool {
	for _, method := range []string{"GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO", "CONNE", "TRACE"} {
		if strings.HasPrefix(head, method) {
			return true
		}
	}
	return false
}
