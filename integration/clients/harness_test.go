package clients

import (
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// What tests of services and clients have in common, by the names that are used here.
type (
	kind     = workertest.Kind
	service  = workertest.Service
	happened = workertest.Recorder
)

var (
	kinds        = workertest.Kinds
	engines      = workertest.Engines
	newService   = workertest.New
	serve        = workertest.Serve
	serveTLS     = workertest.ServeTLS
	dial         = workertest.Dial
	echo         = workertest.Echo
	numbered     = workertest.Numbered
	clientOf     = workertest.ClientOf
	connect      = workertest.Connect
	failure      = workertest.Failure
	refusing     = workertest.Refusing
	listenRaw    = workertest.ListenRaw
	silent       = workertest.Silent
	throughProxy = workertest.ThroughProxy
	eventually   = testkit.Eventually
)

// add has a running service listen with another worker.
func add(t *testing.T, s *service, address string, configure func(w *workerman.Worker)) *workerman.Worker {
	t.Helper()
	w := s.Master.NewWorker(address)
	configure(w)
	if err := w.Listen(); err != nil {
		t.Fatal(err)
	}
	return w
}
