package serve

import (
	"flag"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/master"
)

// takeRole reads what a master, or the command start, has started this process for, and
// prepares the process for it; "" if neither has. The variables go away, so that no child of
// the program gets them.
func takeRole() (role string) {
	role = os.Getenv(master.RoleVariable)
	name := os.Getenv(master.NameVariable)
	os.Unsetenv(master.RoleVariable)
	os.Unsetenv(master.NameVariable)
	if role == "" {
		return ""
	}
	syscall.CloseOnExec(master.LinkDescriptor)
	if role == master.RoleWorker {
		syscall.CloseOnExec(master.CrashDescriptor)
	}
	if len(os.Args) > 0 && name != "" {
		takeName(name)
	}
	return role
}

// takeName calls the process by the name of its program again. The first argument was the
// title for ps, which the program should not see.
func takeName(name string) {
	os.Args[0] = name
	flag.CommandLine.Init(name, flag.ExitOnError)
	// Started by way of a descriptor, the process would be called by its number in top.
	if b, err := unix.BytePtrFromString(filepath.Base(name)); err == nil {
		unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(b)), 0, 0, 0)
	}
}
