package websockets

import (
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// What all tests of services have in common, by short names.
type (
	kind      = workertest.Kind
	webSocket = workertest.WebSocket
)

var (
	eventually    = testkit.Eventually
	kinds         = workertest.Kinds
	serve         = workertest.Serve
	dial          = workertest.Dial
	numbered      = workertest.Numbered
	newReader     = workertest.NewReader
	get           = workertest.Get
	talk          = workertest.Talk
	newWebSocket  = workertest.NewWebSocket
	dialWebSocket = workertest.DialWebSocket
	echoKind      = workertest.EchoKind
)

func receive[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	return testkit.Receive(t, ch, what)
}
