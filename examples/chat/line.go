package main

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escapeSequence matches what a terminal takes as an order: colors, cursor moves, window
// titles. Lines go to the terminals of other people, who have not asked for any.
var escapeSequence = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[ -/]*[0-Z\\^-~])`)

// zeroWidthJoiner is invisible but joins emoji into one; it is harmless.
const zeroWidthJoiner = '\u200d'

// clean makes a line of a client fit to be shown to others: valid UTF-8 without escape
// sequences, control characters and invisible marks, as those that turn the direction of
// writing, and without space around.
func clean(data []byte) string {
	line := strings.ToValidUTF8(string(data), "")
	line = escapeSequence.ReplaceAllString(line, "")
	line = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsGraphic(r), r == zeroWidthJoiner:
			return r
		}
		return -1
	}, line)
	return strings.TrimSpace(line)
}

// maxName is the longest name of a person or room, in characters.
const maxName = 20

// validName reports whether a name is short and of letters, digits, - and _ only, so that
// it can be typed as the argument of a command.
func validName(name string) bool {
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_' {
			return false
		}
	}
	return name != "" && utf8.RuneCountInString(name) <= maxName
}

// nameRule says what validName wants.
const nameRule = "1 to 20 letters, digits, - and _"
