package loop

import (
	"flag"
	"os"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

// TestMain fails the package if its tests leave a goroutine or a descriptor behind.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "16") // parallel tests here wait for limits, they do not compute
	os.Exit(testkit.MainWithoutLeaks(m))
}
