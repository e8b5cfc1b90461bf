package workerman

import "log/slog"

// What follows is for the tests that need no service, and see the inside of the package; those of
// package workerman_test have package workertest.

func discardLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }
