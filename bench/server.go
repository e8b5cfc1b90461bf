package main

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// serverConfig is what one server process is told to do.
type serverConfig struct {
	load
	buffer    int           // read buffer of package net's goroutines
	idle      time.Duration // idle deadline of workerman's connections, 0 for its default
	cert, key string        // files, for TLS
	to        string        // address of the server behind a proxy
}

// goServers are the engines written in Go; each function serves until the
// process is killed, so it returns only with an error.
var goServers = map[string]map[string]func(serverConfig) error{
	"tcp": bytesServers, "udp": bytesServers,
	"proxy": proxyServers,
	"http":  httpServers, "https": httpServers,
	"ws": webSocketServers, "wss": webSocketServers,
}

var bytesServers = map[string]func(serverConfig) error{
	"workerman": serveWorkerman,
	"gnet":      serveGnet,
	"nbio":      serveNbio,
	"evio":      serveEvio,
	"net":       serveNet,
}

var httpServers = map[string]func(serverConfig) error{
	"workerman":         serveWorkermanHTTP,
	"workerman-send":    serveWorkermanSend,
	"workerman-handler": serveWorkermanHandler,
	"gnet":              serveGnetHTTP,
	"nbio":              serveNbioHTTP,
	"fasthttp":          serveFastHTTP,
	"net":               serveNetHTTP,
}

var webSocketServers = map[string]func(serverConfig) error{
	"workerman": serveWorkermanWebSocket,
	"nbio":      serveNbioWebSocket,
	"gws":       serveGws,
	"gorilla":   serveGorilla,
	"coder":     serveCoder,
	"gobwas":    serveGobwas,
}

// serverMain is the process behind "bench server".
func serverMain(args []string) error {
	var cfg serverConfig
	set := flag.NewFlagSet("server", flag.ExitOnError)
	engine := set.String("engine", "", "a name of -engines")
	cfg.register(set)
	set.IntVar(&cfg.buffer, "buffer", 4<<10, "read buffer of package net's goroutines, bytes")
	set.DurationVar(&cfg.idle, "idle", 0, "idle deadline of workerman's connections")
	set.StringVar(&cfg.cert, "cert", "", "file with the certificate, for TLS")
	set.StringVar(&cfg.key, "key", "", "file with its key")
	set.StringVar(&cfg.to, "to", "", "address of the server behind a proxy")
	if err := set.Parse(args); err != nil {
		return err
	}
	serve, ok := goServers[cfg.Network][*engine]
	if !ok {
		return fmt.Errorf("no engine %q for %q", *engine, cfg.Network)
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

// listen opens a listener for engines over package net, and announces it.
func listen() (net.Listener, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		printListening(ln.Addr())
	}
	return ln, err
}

// obeyRunner answers the line "collect" by giving back all the memory the
// server does not need, so that what stays is what the connections hold, and
// "allocations" with how many there were. It sleeps in a read of stdin
// otherwise, and ends the server when the runner is gone. (Standard input, not
// a signal: a framework may have its own use for every signal.)
func obeyRunner() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		switch in.Text() {
		case "collect":
			runtime.GC() // empties the pools, so that the next one frees them
			debug.FreeOSMemory()
			fmt.Println("collected")
		case "allocations":
			fmt.Println("allocations", allocations())
		}
	}
	os.Exit(0)
}

// allocations counts the objects that were ever made on the heap, tiny ones
// that share a block included.
func allocations() uint64 {
	counts := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/tiny/allocs:objects"}}
	metrics.Read(counts)
	return counts[0].Value.Uint64() + counts[1].Value.Uint64()
}
