//go:build !linux

package testkit

import "testing"

// FullListener skips the test: only Linux has such.
func FullListener(t testing.TB) string {
	t.Helper()
	t.Skip("an address that nobody can connect to needs Linux")
	return ""
}
