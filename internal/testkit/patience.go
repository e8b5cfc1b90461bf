package testkit

import (
	"fmt"
	"os"
	"time"
)

// PatienceVariable is the environment variable that sets Patience, as a duration of Go.
const PatienceVariable = "WORKERMAN_TEST_PATIENCE"

// Patience is how long a test waits for what must happen: 20 s, or what PatienceVariable says
// for a machine that is slow. It is no timing: nothing takes that long unless it is broken.
var Patience = patienceOf(os.Getenv(PatienceVariable))

func patienceOf(setting string) time.Duration {
	if setting == "" {
		return 20 * time.Second
	}
	d, err := time.ParseDuration(setting)
	if err != nil || d <= 0 {
		panic(fmt.Sprintf("testkit: %s=%q is no positive duration, such as 2m", PatienceVariable, setting))
	}
	return d
}
