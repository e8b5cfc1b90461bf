package workertest

import (
	"path/filepath"
	"testing"
)

// Kind is one of the ways to run a test: an engine and a transport.
type Kind struct {
	Portable bool   // whether the engine is the portable one, else the system's own
	Network  string // tcp or unix
}

// String is the name of the subtest.
func (k Kind) String() string {
	if k.Portable {
		return "portable/" + k.Network
	}
	return "native/" + k.Network
}

// Address is a fresh address for a scheme on the kind's transport.
func (k Kind) Address(t *testing.T, scheme string) string {
	if k.Network == "tcp" {
		return scheme + "://127.0.0.1:0"
	}
	path := filepath.Join(t.TempDir(), "s")
	if scheme == "tcp" {
		return "unix://" + path
	}
	return scheme + "+unix://" + path
}

// Kinds runs fn on both engines, over TCP and over Unix sockets.
func Kinds(t *testing.T, fn func(t *testing.T, k Kind)) { each(t, fn, "tcp", "unix") }

// Engines runs fn on both engines over TCP.
func Engines(t *testing.T, fn func(t *testing.T, k Kind)) { each(t, fn, "tcp") }

func each(t *testing.T, fn func(t *testing.T, k Kind), networks ...string) {
	for _, portable := range []bool{false, true} {
		for _, network := range networks {
			k := Kind{portable, network}
			t.Run(k.String(), func(t *testing.T) { fn(t, k) })
		}
	}
}
