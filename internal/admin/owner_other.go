//go:build !unix

package admin

// ownerOnly does nothing where files have no modes: the folder's permissions decide.
func ownerOnly() (restore func()) { return func() {} }
