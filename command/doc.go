// Package command runs programs beside an event loop, which does not wait for them: their output
// and their end come as callbacks on it.
//
//	w.OnMessage = func(c *workerman.Conn, data []byte) {
//		_, err := command.Start(c, exec.Command("ffprobe", "/videos/1.mp4"), command.Options{
//			Lines:    true,
//			OnOutput: func(line []byte) { c.Send(line) },
//			OnExit:   func(err error) { c.Close() },
//		})
//		if err != nil {
//			c.CloseWith([]byte(err.Error()))
//		}
//	}
//
// The first argument says whose loop it is, as that of workerman.Async does: a connection, a
// worker or a loop. The program lives no longer than that: it is killed, on Linux with those that
// it has started in its group, when the connection closes or the process stops.
//
// A program that writes faster than the callbacks run has to wait, as it has to for every reader
// of a pipe. [Command.Pause] holds it back for longer.
//
// Give a program its arguments one by one, never a command line made of what clients send.
package command
