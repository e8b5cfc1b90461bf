package numbers

import (
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

// What tests of services have in common, by the names that are used here.
type kind = workertest.Kind

var (
	serve = workertest.Serve
	dial  = workertest.Dial
	echo  = workertest.Echo
	get   = workertest.Get
)
