package workerman

// Reload asks the master for a reload, as the command reload does, from any goroutine of a
// process that RunAll has started. It returns at once. ErrNotRunning means that there is no
// master, as under Run.
func Reload() error { return ErrNotRunning }
