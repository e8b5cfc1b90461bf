package command_test

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/command"
)

// A worker has a program sort what it gets, and stops when the program has ended.
func ExampleStart() {
	m := &workerman.Master{Logger: slog.New(slog.DiscardHandler)}
	w := m.NewWorker("tcp://127.0.0.1:0")
	w.OnWorkerStart = func(w *workerman.Worker) error {
		sort, err := command.Start(w, exec.Command("sort"), command.Options{
			Input:    true,
			Lines:    true,
			OnOutput: func(line []byte) { fmt.Println(string(line)) },
			OnExit: func(err error) {
				fmt.Println("exit:", err)
				m.StopAll()
			},
		})
		if err != nil {
			return err
		}
		sort.Send([]byte("pear\napple\n"))
		sort.CloseInput()
		return nil
	}
	if err := m.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// apple
	// pear
	// exit: <nil>
}
