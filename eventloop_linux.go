package workerman

// OnReadable calls fn whenever the descriptor has input, again and again until it is
// read; OffReadable ends it and must be called before the descriptor is closed. Regular
// files are refused: they are always ready. Linux only. Call it on the loop.
func (e *EventLoop) OnReadable(fd int, fn func()) error {
	_, writable := e.loop.Watched(fd)
	return e.loop.Watch(fd, e.guarded(fn), writable)
}

// OffReadable undoes OnReadable. Call it on the loop.
func (e *EventLoop) OffReadable(fd int) {
	_, writable := e.loop.Watched(fd)
	e.loop.Watch(fd, nil, writable)
}

// OnWritable calls fn whenever the descriptor takes output. Linux only. Call it on the
// loop.
func (e *EventLoop) OnWritable(fd int, fn func()) error {
	readable, _ := e.loop.Watched(fd)
	return e.loop.Watch(fd, readable, e.guarded(fn))
}

// OffWritable undoes OnWritable. Call it on the loop.
func (e *EventLoop) OffWritable(fd int) {
	readable, _ := e.loop.Watched(fd)
	e.loop.Watch(fd, readable, nil)
}

func (e *EventLoop) guarded(fn func()) func() { return func() { e.master.guard(fn) } }
