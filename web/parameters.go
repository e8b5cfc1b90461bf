package web

// parameters reads what follows the first value of a field such as Content-Type: a list of
// "; name=value" (RFC 9110, section 5.6.6). It gives each value without its quotes to take
// and reports whether the list is well-formed and take was always content. There is no space
// around the equals sign, and a single semicolon at the end is forgiven, as in net/http.
func parameters(s string, take func(name, value string) bool) bool {
	for {
		if s = trim(s); s == "" {
			return true
		}
		if s[0] != ';' {
			return false
		}
		if s = trim(s[1:]); s == "" {
			return true
		}
		n := tokenLength(s)
		if n == 0 || n == len(s) || s[n] != '=' {
			return false
		}
		name, value, ok := s[:n], "", true
		if s = s[n+1:]; len(s) > 0 && s[0] == '"' {
			value, s, ok = unquote(s)
		} else {
			n = tokenLength(s)
			value, s = s[:n], s[n:]
			ok = n > 0
		}
		if !ok || !take(name, value) {
			return false
		}
	}
}

func tokenLength(s string) int {
	for i := range len(s) {
		if !tokenBytes[s[i]] {
			return i
		}
	}
	return len(s)
}

// unquote reads the quoted string at the beginning of s (RFC 9110, section 5.6.4). A
// backslash escapes a quote or a backslash; before anything else it stands for itself, as
// some browsers send the paths of Windows so.
func unquote(s string) (value, rest string, ok bool) {
	b := make([]byte, 0, len(s))
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return string(b), s[i+1:], true
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
		}
		b = append(b, s[i])
	}
	return "", "", false
}
