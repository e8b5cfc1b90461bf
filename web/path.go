package web

import (
	"errors"
	"path/filepath"
	"strings"
)

// ErrPath is a path that names no file below a directory.
var ErrPath = errors.New("http: unsafe path")

// FilePath is the name of the file below the directory root that rawPath means, which is
// the path as it was sent, as RawPath gives it. It looks at each segment before and after
// decoding and refuses what could lead out of root or mean different things to different
// readers: dot segments, which clients resolve before they send (RFC 3986, section 5.2.4),
// slashes, backslashes and NULs, encoded or not where they separate nothing, and on systems
// with such names, drives and devices. Empty segments are left out. Symbolic links are not
// looked at. Names that begin with a dot are allowed.
func FilePath(root, rawPath string) (string, error) {
	if !strings.HasPrefix(rawPath, "/") || !validEscapes(rawPath) {
		return "", ErrPath
	}
	b := make([]byte, 0, len(root)+len(rawPath))
	for segment := range strings.SplitSeq(rawPath[1:], "/") {
		if strings.IndexByte(segment, '%') >= 0 {
			segment = string(unescape(segment, false))
		}
		switch {
		case segment == "":
			continue
		case segment == "." || segment == ".." || strings.ContainsAny(segment, "/\\\x00"):
			return "", ErrPath
		}
		if len(b) > 0 {
			b = append(b, '/')
		}
		b = append(b, segment...)
	}
	name := filepath.FromSlash(string(b))
	if name == "" {
		return filepath.Clean(root), nil
	}
	if !filepath.IsLocal(name) {
		return "", ErrPath
	}
	return filepath.Join(root, name), nil
}
