package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed cserver/echo.c
var cSource []byte

// buildC compiles the C server into dir. Without a gcc the benchmark still
// runs, with the other engines only.
func buildC(ctx context.Context, dir string) (string, error) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		return "", fmt.Errorf("no gcc to build it with: %w", err)
	}
	source, binary := filepath.Join(dir, "echo.c"), filepath.Join(dir, "echo")
	if err := os.WriteFile(source, cSource, 0o600); err != nil {
		return "", err
	}
	if out, err := exec.CommandContext(ctx, gcc, "-O2", "-Wall", "-o", binary, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc: %w: %s", err, out)
	}
	return binary, nil
}
