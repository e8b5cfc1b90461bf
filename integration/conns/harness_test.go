package conns

import (
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/text"
)

// What all tests of services have in common, by short names.
type (
	kind    = workertest.Kind
	service = workertest.Service
)

var (
	patience      = testkit.Patience
	eventually    = testkit.Eventually
	checkLeaks    = testkit.CheckLeaks
	kinds         = workertest.Kinds
	engines       = workertest.Engines
	newService    = workertest.New
	serve         = workertest.Serve
	builtin       = workertest.Builtin
	dial          = workertest.Dial
	echo          = workertest.Echo
	numbered      = workertest.Numbered
	discardLogger = workertest.DiscardLogger
)

func receive[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	return testkit.Receive(t, ch, what)
}

// maxAsync is how many pieces of work Async runs at the same time in a process.
const maxAsync = 256

// textProtocol is package text as a protocol of one's own.
type textProtocol struct{}

var _ workerman.Protocol = textProtocol{}

func (textProtocol) Input(_ *workerman.Conn, buf []byte) (int, error) { return text.Size(buf, 0), nil }
func (textProtocol) Scan(_ *workerman.Conn, buf []byte, scanned int) (int, error) {
	return text.Size(buf, scanned), nil
}
func (textProtocol) Decode(_ *workerman.Conn, frame []byte) ([]byte, error) {
	return text.Decode(frame), nil
}
func (textProtocol) Encode(_ *workerman.Conn, dst, data []byte) ([]byte, error) {
	return text.Append(dst, data), nil
}
