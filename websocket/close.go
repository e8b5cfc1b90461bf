package websocket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Close codes, RFC 6455 section 7.4.1 and the IANA registry.
const (
	CloseNormal           = 1000 // done
	CloseGoingAway        = 1001 // the server stops or the browser leaves the page
	CloseProtocolError    = 1002
	CloseUnsupportedData  = 1003 // as text where only binary is understood
	CloseNoStatus         = 1005 // never on the wire: a close without a code came
	CloseAbnormal         = 1006 // never on the wire: the connection broke without a close
	CloseInvalidData      = 1007 // as text that is not UTF-8
	ClosePolicyViolation  = 1008
	CloseTooBig           = 1009
	CloseMissingExtension = 1010 // a client did not get what it needs
	CloseInternalError    = 1011
	CloseServiceRestart   = 1012
	CloseTryAgainLater    = 1013
)

// maxReason is what a close frame has room for behind its code.
const maxReason = MaxControlSize - 2

// CloseError says why a WebSocket connection ends. Codec.Next returns it for what the
// peer may not send; its Code and Reason are what to answer by Codec.AppendClose before
// the connection is closed.
type CloseError struct {
	Code   int
	Reason string
}

// Error is the code and the reason.
func (e *CloseError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("websocket: close %d", e.Code)
	}
	return fmt.Sprintf("websocket: close %d: %s", e.Code, e.Reason)
}

// ErrCloseSent is returned for what is sent after a close frame, which has to be the
// last one, RFC 6455 section 5.5.1.
var ErrCloseSent = errors.New("websocket: sent after a close frame")

func protocolError(reason string) *CloseError {
	return &CloseError{Code: CloseProtocolError, Reason: reason}
}

func invalidData(reason string) *CloseError {
	return &CloseError{Code: CloseInvalidData, Reason: reason}
}

func tooBig(limit int) *CloseError {
	return &CloseError{Code: CloseTooBig, Reason: fmt.Sprintf("message of more than %d bytes", limit)}
}

// validCloseCode reports whether a close frame may carry code: 1000 to 1003 and 1007 to
// 1014, which are assigned, 3000 to 3999 for libraries and 4000 to 4999 for programs.
func validCloseCode(code int) bool {
	switch {
	case code >= CloseNormal && code <= CloseUnsupportedData,
		code >= CloseInvalidData && code <= 1014,
		code >= 3000 && code <= 4999:
		return true
	}
	return false
}

// parseClose takes the payload of a close frame apart, RFC 6455 section 5.5.1.
func parseClose(payload []byte) (code int, reason []byte, err error) {
	switch len(payload) {
	case 0:
		return CloseNoStatus, nil, nil
	case 1:
		return 0, nil, protocolError("close frame of one byte")
	}
	code = int(binary.BigEndian.Uint16(payload))
	if !validCloseCode(code) {
		return 0, nil, protocolError(fmt.Sprintf("close code %d", code))
	}
	if !utf8.Valid(payload[2:]) {
		return 0, nil, invalidData("close reason is not UTF-8")
	}
	return code, payload[2:], nil
}

// appendClosePayload is the reverse. A reason that does not fit is cut between two
// characters, as it is for people and must not keep a connection from closing.
func appendClosePayload(dst []byte, code int, reason string) []byte {
	if code == CloseNoStatus {
		return dst
	}
	if !utf8.ValidString(reason) {
		reason = strings.ToValidUTF8(reason, "\ufffd")
	}
	if len(reason) > maxReason {
		n := maxReason
		for !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}
