package serve

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileSet is where the master keeps what it writes.
type fileSet struct {
	pid string
	log string // "" for none
}

// files says where the files are: those of a running master where there are any, else where
// they can be written. Only a daemon has a log file by default.
func (s Settings) files(daemon bool) (f fileSet, err error) {
	if given := cmp.Or(s.PidFile, os.Getenv("WORKERMAN_PID_FILE")); given != "" {
		if f.pid, err = filepath.Abs(given); err != nil {
			return f, err
		}
	} else if f.pid, err = defaultPidFile(); err != nil {
		return f, err
	}
	if s.LogFile != "" {
		f.log, err = filepath.Abs(s.LogFile)
	} else if daemon {
		f.log = strings.TrimSuffix(f.pid, ".pid") + ".log"
	}
	return f, err
}

// ownFile is the file of this program.
func ownFile() (string, error) {
	program, err := os.Executable()
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("the program's own file: %w: mount /proc here, or set Master.OneProcess", err)
	}
	if err != nil {
		return "", fmt.Errorf("the program's own file: %w", err)
	}
	return program, nil
}

// defaultPidFile picks the folder: where a file is already, else the first writable one.
func defaultPidFile() (string, error) {
	program, err := ownFile()
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(program); err == nil {
		program = real
	}
	name := filepath.Base(program)
	// Programs of the same name in different folders must not meet in a common folder.
	inCommon := strings.ReplaceAll(strings.TrimPrefix(program, "/"), "/", "-") + ".pid"
	candidates := []string{filepath.Join(filepath.Dir(program), name+".pid")}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		candidates = append(candidates, filepath.Join(dir, inCommon))
	}
	if os.Geteuid() == 0 {
		candidates = append(candidates, filepath.Join("/run", inCommon))
	}
	own := filepath.Join(os.TempDir(), fmt.Sprintf("workerman-%d", os.Geteuid()))
	candidates = append(candidates, filepath.Join(own, inCommon))
	for _, c := range candidates {
		if _, err := os.Lstat(c); err == nil {
			return c, nil
		}
	}
	for _, c := range candidates {
		dir := filepath.Dir(c)
		if dir == own {
			if err := privateDir(own); err != nil {
				return "", err
			}
		}
		if unix.Access(dir, unix.W_OK) == nil {
			return c, nil
		}
	}
	return "", errors.New("no folder for the pid file is writable: set Master.PidFile")
}

// privateDir makes a folder of which nobody else may be the owner.
func privateDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("folder for the pid file: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("folder for the pid file: %w", err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("folder for the pid file: %s belongs to somebody else, or others may write there", dir)
	}
	return nil
}
