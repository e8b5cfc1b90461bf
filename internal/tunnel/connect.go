package tunnel

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// connect is the method CONNECT of HTTP/1.1, RFC 9110 section 9.3.6.
type connect struct {
	request []byte
	done    bool
}

// maxHead is the largest head of an answer.
const maxHead = 16 << 10

// CONNECT opens a way to the target.
func CONNECT(t Target, l Login) (Negotiation, error) {
	if strings.ContainsAny(t.Host, " \t\r\n") {
		return nil, fmt.Errorf("host %q makes no request", t.Host)
	}
	authority := net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port)))
	request := "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n"
	if l.User != "" || l.Password != "" {
		if strings.Contains(l.User, ":") {
			return nil, errors.New("the user of an HTTP proxy must not contain a colon")
		}
		request += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(l.User+":"+l.Password)) + "\r\n"
	}
	return &connect{request: []byte(request + "\r\n")}, nil
}

func (c *connect) Begin() []byte { return c.request }

// Next waits for the head of an answer with a status of 2xx, which has no body. Answers
// of 1xx before it are skipped.
func (c *connect) Next(b []byte) (used int, send []byte, done bool, err error) {
	for !c.done {
		rest := b[used:]
		const version = "HTTP/1."
		if start := string(rest[:min(len(rest), len(version))]); start != version[:len(start)] {
			return used, nil, false, fmt.Errorf("the proxy speaks no HTTP: its answer begins with %.20q", rest)
		}
		end := bytes.Index(rest[:min(len(rest), maxHead)], []byte("\r\n\r\n"))
		if end < 0 {
			if len(rest) >= maxHead {
				return used, nil, false, fmt.Errorf("the proxy's answer has a head of more than %d KiB", maxHead>>10)
			}
			return used, nil, false, nil
		}
		line, _, _ := bytes.Cut(rest[:end+2], []byte("\r\n"))
		status, phrase, err := parseStatusLine(string(line))
		switch {
		case err != nil:
			return used, nil, false, err
		case status >= 300:
			return used, nil, false, fmt.Errorf("the proxy refused: %d %.100q", status, phrase)
		}
		used += end + 4
		c.done = status >= 200
	}
	return used, nil, true, nil
}

// parseStatusLine reads HTTP-version SP 3DIGIT [SP phrase], RFC 9112 section 4.
func parseStatusLine(line string) (status int, phrase string, err error) {
	malformed := fmt.Errorf("malformed status line of the proxy: %.60q", line)
	if len(line) < 12 || line[8] != ' ' || line[7] < '0' || line[7] > '9' || len(line) > 12 && line[12] != ' ' {
		return 0, "", malformed
	}
	for _, d := range line[9:12] {
		if d < '0' || d > '9' {
			return 0, "", malformed
		}
		status = 10*status + int(d-'0')
	}
	if status < 100 {
		return 0, "", malformed
	}
	return status, strings.TrimSpace(line[12:]), nil
}
