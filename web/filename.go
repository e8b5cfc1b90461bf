package web

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// noName stands for a file name of which nothing is left.
const noName = "unnamed"

// maxName leaves room for a suffix below the 255 bytes that most file systems allow.
const maxName = 200

// safeName reduces a file name that a client has sent to one that may be used in any
// directory of any system: what follows the last slash or backslash, without control and
// other invisible characters, the characters that Windows forbids replaced by underscores,
// without spaces and dots at its ends, no name of a device, no hidden file, at most 200
// bytes of valid UTF-8. It is never empty.
func safeName(s string) string {
	s = strings.ToValidUTF8(s[strings.LastIndexAny(s, `/\`)+1:], "_")
	s = strings.Map(func(c rune) rune {
		switch {
		case strings.ContainsRune(`<>:"|?*`, c):
			return '_'
		case c != ' ' && !unicode.IsPrint(c):
			return -1 // among them the marks that turn "gpj.exe" around
		}
		return c
	}, s)
	s = trimName(s)
	if strings.HasPrefix(s, ".") {
		s = "_" + s[1:]
	}
	stem, _, _ := strings.Cut(s, ".")
	if isDevice(strings.TrimRight(stem, " ")) {
		s = "_" + s
	}
	if len(s) > maxName {
		// The extension stays, as it tells what the file is.
		if extension := s[strings.LastIndexByte(s, '.')+1:]; len(extension) == len(s) || len(extension) > 16 {
			s = trimName(cutRunes(s, maxName))
		} else {
			s = cutRunes(s, maxName-len(extension)-1) + "." + extension
		}
	}
	if s == "" {
		return noName
	}
	return s
}

func trimName(s string) string { return strings.TrimRight(strings.TrimLeft(s, " "), " .") }

// cutRunes cuts s to at most n bytes, between two characters.
func cutRunes(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// isDevice reports whether Windows takes a file of that name for a device, whatever its
// extension.
func isDevice(stem string) bool {
	stem = strings.ToUpper(stem)
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	for _, port := range [...]string{"COM", "LPT"} {
		switch number, found := strings.CutPrefix(stem, port); {
		case !found:
		case len(number) == 1 && isDigit(number[0]), number == "¹", number == "²", number == "³":
			return true
		}
	}
	return false
}
