package socket

import (
	"os"
	"testing"

	"github.com/workerman-go/workerman/internal/testkit"
)

// TestMain fails the package if its tests leave a goroutine or a descriptor behind.
func TestMain(m *testing.M) {
	os.Exit(testkit.MainWithoutLeaks(m))
}
