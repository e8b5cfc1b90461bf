package workerman

import (
	"flag"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/master"
)

// processRole is what a master, or the command start, started this process for, "" if
// neither did.
var processRole string

// takeRole reads the role and prepares the process for it; false if it has none. The
// variables go away, lest they reach a child that the program starts.
func takeRole() bool {
	processRole = os.Getenv(master.RoleVariable)
	name := os.Getenv(master.NameVariable)
	os.Unsetenv(master.RoleVariable)
	os.Unsetenv(master.NameVariable)
	if processRole == "" {
		return false
	}
	syscall.CloseOnExec(master.LinkDescriptor)
	if processRole == master.RoleWorker {
		syscall.CloseOnExec(master.CrashDescriptor)
	}
	if len(os.Args) == 0 || name == "" {
		return true
	}
	// The first argument was the title for ps; the program should not see it.
	os.Args[0] = name
	flag.CommandLine.Init(name, flag.ExitOnError)
	// Started by way of a descriptor, the process would be called by its number in top.
	if b, err := unix.BytePtrFromString(filepath.Base(name)); err == nil {
		unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(b)), 0, 0, 0)
	}
	return true
}
