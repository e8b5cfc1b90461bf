// Package interop tests package proxyproto against another implementation. It is a module
// of its own, so that this is no dependency of workerman.
package interop
