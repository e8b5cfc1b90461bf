package main

import "iter"

// object makes a JSON object of names and values. A name that comes again adds its value
// behind a comma, as header fields do (RFC 9110, section 5.3).
func object(pairs iter.Seq2[string, string]) map[string]string {
	o := make(map[string]string)
	for name, value := range pairs {
		if first, again := o[name]; again {
			value = first + ", " + value
		}
		o[name] = value
	}
	return o
}
