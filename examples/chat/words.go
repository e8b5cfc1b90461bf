package main

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escapeSequence matches what a terminal takes as an order: colors, cursor moves, window
// titles. Messages go to the terminals of other people, who have not asked for any.
var escapeSequence = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[ -/]*[0-Z\\^-~])`)

// manyLines matches more empty lines than anybody needs.
var manyLines = regexp.MustCompile(`\n(\s*\n){2,}`)

// Joiners are invisible but shape emoji and the scripts of some languages.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

// clean makes a message fit to be shown to others: valid UTF-8 without escape sequences,
// control characters but line feeds and invisible marks, as those that turn the direction
// of writing, and without space around.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "")
	text = escapeSequence.ReplaceAllString(text, "")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == '\n', r == zeroWidthJoiner, r == zeroWidthNonJoiner, unicode.IsGraphic(r):
			return r
		}
		return -1
	}, text)
	return strings.Trim(manyLines.ReplaceAllString(text, "\n\n"), " \n\u00a0\u3000\u200c\u200d")
}

// maxName is the longest name of a person or room, in characters.
const maxName = 20

// nameRule says what validName wants.
const nameRule = "1 to 20 letters, digits, - and _"

// validName reports whether a name is short and of letters, digits, - and _ only, so that
// it can be typed as the argument of a command and be a link. Some scripts write letters
// with marks.
func validName(name string) bool {
	for i, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_' && (i == 0 || !unicode.IsMark(r)) {
			return false
		}
	}
	return name != "" && utf8.RuneCountInString(name) <= maxName
}

// fold is the same for names that differ in upper and lower case only.
func fold(name string) string { return strings.ToLower(name) }

// validMark reports whether s has from min to max ASCII letters, digits, - and _.
func validMark(s string, min, max int) bool {
	for _, b := range []byte(s) {
		switch {
		case '0' <= b && b <= '9', 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', b == '-', b == '_':
		default:
			return false
		}
	}
	return min <= len(s) && len(s) <= max
}
