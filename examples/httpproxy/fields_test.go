package main

import (
	"fmt"
	"testing"
)

func TestPassed(t *testing.T) {
	for _, c := range []struct {
		in   map[string][]string
		want string
	}{
		{map[string][]string{"X-A": {"1", "2"}}, "X-A: 1, X-A: 2, "},
		{map[string][]string{"Connection": {"close, X-Private"}, "X-private": {"1"}, "Keep-Alive": {"5"}}, ""},
		{map[string][]string{"Connection": {"X-A", "x-b"}, "X-A": {"1"}, "X-B": {"2"}, "X-C": {"3"}}, "X-C: 3, "},
		{map[string][]string{"Proxy-Authorization": {"Basic x"}, "Transfer-Encoding": {"chunked"}, "Upgrade": {"x"}, "Te": {"x"}}, ""},
	} {
		got := ""
		for name, value := range passed(all(c.in)) {
			got += fmt.Sprintf("%s: %s, ", name, value)
		}
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.in, got, c.want)
		}
	}
}
