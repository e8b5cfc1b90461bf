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

// inheritRole prepares a process that a master, or the command start, has started.
func inheritRole(name string) {
	syscall.CloseOnExec(master.LinkDescriptor)
	if processRole == master.RoleWorker {
		syscall.CloseOnExec(master.CrashDescriptor)
	}
	if len(os.Args) == 0 || name == "" {
		return
	}
	// The first argument was the title for ps; the program should not see it.
	os.Args[0] = name
	flag.CommandLine.Init(name, flag.ExitOnError)
	// Started by way of a descriptor, the process would be called by its number in top.
	if b, err := unix.BytePtrFromString(filepath.Base(name)); err == nil {
		unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(b)), 0, 0, 0)
	}
}
