package web

import (
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// What all tests of services have in common, by short names.
type (
	kind    = workertest.Kind
	service = workertest.Service
)

var (
	patience      = testkit.Patience
	eventually    = testkit.Eventually
	kinds         = workertest.Kinds
	engines       = workertest.Engines
	serve         = workertest.Serve
	serveWith     = workertest.ServeWith
	dial          = workertest.Dial
	echo          = workertest.Echo
	numbered      = workertest.Numbered
	discardLogger = workertest.DiscardLogger
	get           = workertest.Get
	talk          = workertest.Talk
	newReader     = workertest.NewReader
	newWebSocket  = workertest.NewWebSocket
	echoKind      = workertest.EchoKind
	compressed    = workertest.Compressed
)

func receive[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	return testkit.Receive(t, ch, what)
}
