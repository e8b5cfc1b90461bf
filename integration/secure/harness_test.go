package secure

import (
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// What all tests of services have in common, by short names.
type kind = workertest.Kind

var (
	patience      = testkit.Patience
	eventually    = testkit.Eventually
	stacks        = testkit.Stacks
	writeFile     = testkit.ReplaceFile
	kinds         = workertest.Kinds
	engines       = workertest.Engines
	serve         = workertest.Serve
	builtin       = workertest.Builtin
	dial          = workertest.Dial
	echo          = workertest.Echo
	numbered      = workertest.Numbered
	discardLogger = workertest.DiscardLogger
	files         = workertest.Files
	serveTLS      = workertest.ServeTLS
	dialTLS       = workertest.DialTLS
	shakeHands    = workertest.ShakeHands
)

const raceEnabled = testkit.Race

func receive[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	return testkit.Receive(t, ch, what)
}
