//go:build !linux

package socket

import "syscall"

// control leaves the options to package net, whose defaults (keep-alive, no delay)
// fit. ReusePort has no equivalent that balances, so one socket serves.
func (o Options) control(string, string, syscall.RawConn) error { return nil }
