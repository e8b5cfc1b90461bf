package main

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// serverConfig is what one echo server process is told to do.
type serverConfig struct {
	network string        // "tcp" or "udp"
	buffer  int           // read buffer of package net's goroutines
	idle    time.Duration // idle deadline of workerman's connections, 0 for none
}

// goServers are the engines written in Go; each function serves until the
// process is killed, so it returns only with an error.
var goServers = map[string]func(serverConfig) error{
	"workerman": serveWorkerman,
	"gnet":      serveGnet,
	"nbio":      serveNbio,
	"evio":      serveEvio,
	"net":       serveNet,
}

// serverMain is the process behind "bench server".
func serverMain(args []string) error {
	var cfg serverConfig
	set := flag.NewFlagSet("server", flag.ExitOnError)
	engine := set.String("engine", "", "one of workerman, gnet, nbio, evio, net")
	set.StringVar(&cfg.network, "network", "tcp", "tcp or udp")
	set.IntVar(&cfg.buffer, "buffer", 4<<10, "read buffer of package net's goroutines, bytes")
	set.DurationVar(&cfg.idle, "idle", 0, "idle deadline of workerman's connections")
	if err := set.Parse(args); err != nil {
		return err
	}
	serve, ok := goServers[*engine]
	if !ok {
		return fmt.Errorf("unknown engine %q", *engine)
	}
	if _, err := raiseFileLimit(); err != nil {
		return err
	}
	go obeyRunner()
	return serve(cfg)
}

// printListening tells the runner where the server is.
func printListening(addr net.Addr) {
	fmt.Printf("listening %s\n", addr)
}

// obeyRunner answers the line "collect" by giving back all the memory the
// server does not need, so that what stays is what the connections hold. It
// sleeps in a read of stdin otherwise, and ends the server when the runner is
// gone. (Standard input, not a signal: a framework may have its own use for
// every signal.)
func obeyRunner() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if in.Text() == "collect" {
			runtime.GC() // empties the pools, so that the next one frees them
			debug.FreeOSMemory()
			fmt.Println("collected")
		}
	}
	os.Exit(0)
}
