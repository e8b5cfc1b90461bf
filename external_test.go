package workerman_test

import (
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// What the tests of package workerman_test have of others, by the names that are used there.
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
