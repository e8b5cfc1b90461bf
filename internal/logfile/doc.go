// Package logfile writes, rotates and follows the log of a service. The master owns the
// file; its processes append to the same one by descriptors that it gives them.
package logfile
