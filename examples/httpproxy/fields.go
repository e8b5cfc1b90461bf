package main

import (
	"iter"
	"strings"
)

// hopByHop are fields that are for the next hop and not for who is behind it (RFC 9110
// section 7.6.1); those that Connection names are too. The last ones are written anew.
const hopByHop = " connection proxy-connection keep-alive te trailer transfer-encoding upgrade proxy-authorization proxy-authenticate host content-length "

// passed are the fields that a proxy passes on.
func passed(fields iter.Seq2[string, string]) iter.Seq2[string, string] {
	named := " "
	for name, value := range fields {
		if strings.EqualFold(name, "Connection") {
			for field := range strings.SplitSeq(value, ",") {
				named += strings.ToLower(strings.TrimSpace(field)) + " "
			}
		}
	}
	return func(yield func(name, value string) bool) {
		for name, value := range fields {
			key := " " + strings.ToLower(name) + " "
			if !strings.Contains(hopByHop, key) && !strings.Contains(named, key) && !yield(name, value) {
				return
			}
		}
	}
}

// all are the fields of a map.
func all(fields map[string][]string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for name, values := range fields {
			for _, value := range values {
				if !yield(name, value) {
					return
				}
			}
		}
	}
}
