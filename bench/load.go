package main

import (
	"flag"
	"strconv"
)

// What a server does with a message.
const (
	echoTask      = "echo"      // sends it back; over HTTP, the body of a POST
	pageTask      = "page"      // answers a GET of HTTP with page
	broadcastTask = "broadcast" // sends text of a WebSocket to all, and echoes binary messages
)

// page is what every server answers a GET with.
const page = "Hello, World!"

// load is what a client and a server have to agree on.
type load struct {
	Network string `json:"network"` // tcp, udp, proxy, http, https, ws or wss
	Task    string `json:"task"`
	Size    int    `json:"size"`              // bytes of a message, or of a body
	Deflate bool   `json:"deflate,omitempty"` // WebSocket messages are compressed
}

func (l *load) register(set *flag.FlagSet) {
	set.StringVar(&l.Network, "network", "tcp", "tcp, udp, proxy, http, https, ws or wss")
	set.StringVar(&l.Task, "task", echoTask, "echo, page or broadcast")
	set.IntVar(&l.Size, "size", 64, "bytes of a message")
	set.BoolVar(&l.Deflate, "deflate", false, "compress WebSocket messages")
}

// args are the flags that register reads.
func (l load) args() []string {
	return []string{"-network", l.Network, "-task", l.Task, "-size", strconv.Itoa(l.Size),
		"-deflate=" + strconv.FormatBool(l.Deflate)}
}

func (l load) http() bool      { return l.Network == "http" || l.Network == "https" }
func (l load) proxy() bool     { return l.Network == "proxy" }
func (l load) websocket() bool { return l.Network == "ws" || l.Network == "wss" }
func (l load) tls() bool       { return l.Network == "https" || l.Network == "wss" }

// text reports whether the messages are texts, of words; otherwise they are
// bytes without a pattern, which nothing can compress.
func (l load) text() bool { return l.Deflate || l.Task == broadcastTask }
