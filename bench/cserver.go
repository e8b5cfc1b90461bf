package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed cserver/*.c cserver/*.h
var cSource embed.FS

// buildC compiles the C server into dir. Without a gcc the benchmark still
// runs, with the other engines only.
func buildC(ctx context.Context, dir string) (string, error) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		return "", fmt.Errorf("no gcc to build it with: %w", err)
	}
	if err := os.CopyFS(dir, cSource); err != nil {
		return "", err
	}
	sources, err := filepath.Glob(filepath.Join(dir, "cserver", "*.c"))
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "cserver", "cserver")
	args := append([]string{"-O2", "-Wall", "-o", binary}, sources...)
	if out, err := exec.CommandContext(ctx, gcc, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc: %w: %s", err, out)
	}
	return binary, nil
}
