package secure

import (
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// What all tests of services have in common, by short names.
type kind = workertest.Kind

var (
	eventually = testkit.Eventually
	writeFile  = testkit.ReplaceFile
	engines    = workertest.Engines
	serve      = workertest.Serve
	dial       = workertest.Dial
	echo       = workertest.Echo
	numbered   = workertest.Numbered
	files      = workertest.Files
	serveTLS   = workertest.ServeTLS
	dialTLS    = workertest.DialTLS
	shakeHands = workertest.ShakeHands
)

func receive[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	return testkit.Receive(t, ch, what)
}
