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

const usualPatience = 20 * time.Second

// Scale makes d longer by as much as Patience was raised. It is for a limit that is under test and
// that a good peer has to keep within, such as a timeout of a handshake that succeeds.
func Scale(d time.Duration) time.Duration { return scale(d, Patience) }

func scale(d, patience time.Duration) time.Duration {
	return max(d, time.Duration(float64(d)*(float64(patience)/float64(usualPatience))))
}

func patienceOf(setting string) time.Duration {
	if setting == "" {
		return usualPatience
	}
	d, err := time.ParseDuration(setting)
	if err != nil || d <= 0 {
		panic(fmt.Sprintf("testkit: %s=%q is no positive duration, such as 2m", PatienceVariable, setting))
	}
	return d
}
