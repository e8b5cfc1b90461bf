package main

import (
	"fmt"
	"io"
	"os"
)

// holdMain is the process behind "bench hold": the client of the memory
// measurement. It opens the connections, exchanges one message on each, says
// so, and keeps them open until its standard input ends.
func holdMain(args []string) error {
	cfg, err := parseClient("hold", args)
	if err != nil {
		return err
	}
	if _, err := connectAll(cfg); err != nil {
		return err
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
