//go:build !linux

package loop

// systemDial is how a socket is being connected: by package net.
type systemDial struct {
	portable func() // cancels
}

func (c *Connecting) begin()   {}
func (c *Connecting) abandon() {}
