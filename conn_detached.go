package workerman

// detachedConn is what a connection needs while it is off its loop: after it was detached, until
// the process that it is offered to has answered.
type detachedConn struct {
	held []func() // these would have run meanwhile, and do if the connection is reattached
}

func (d *detachedConn) hold(fn func()) { d.held = append(d.held, fn) }
