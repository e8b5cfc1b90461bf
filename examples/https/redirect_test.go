package main

import "testing"

func TestSecureHost(t *testing.T) {
	for _, test := range []struct {
		host string
		port int
		want string
	}{
		{"example.com", 443, "example.com"},
		{"example.com:80", 443, "example.com"},
		{"example.com:8085", 8443, "example.com:8443"},
		{"127.0.0.1", 8443, "127.0.0.1:8443"},
		{"[::1]:8085", 8443, "[::1]:8443"},
		{"[::1]", 8443, "[::1]:8443"},
		{"[::1]:80", 443, "[::1]"},
		{"[::1]", 443, "[::1]"},
	} {
		if got := secureHost(test.host, test.port); got != test.want {
			t.Errorf("secureHost(%q, %d) = %q, want %q", test.host, test.port, got, test.want)
		}
	}
}
