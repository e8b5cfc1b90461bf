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
	builtin       = workertest.Builtin
	dial          = workertest.Dial
	echo          = workertest.Echo
	numbered      = workertest.Numbered
	discardLogger = workertest.DiscardLogger
	serveTLS      = workertest.ServeTLS
	dialTLS       = workertest.DialTLS
	get           = workertest.Get
	talk          = workertest.Talk
	newReader     = workertest.NewReader
	readSlowly    = workertest.ReadSlowly
	newWebSocket  = workertest.NewWebSocket
	echoKind      = workertest.EchoKind
	compressed    = workertest.Compressed
)

// proxyHeader is how a proxy announces a client.
const proxyHeader = "PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n"

const raceEnabled = testkit.Race

func receive[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	return testkit.Receive(t, ch, what)
}
