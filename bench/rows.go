package main

import "fmt"

// row is one load: a table of the report.
type row struct {
	Name string `json:"name"` // what -rows is matched with
	load
	Conns int `json:"conns"`
	Depth int `json:"depth"` // messages in flight on each; of a broadcast, in all
}

// broadcastConns is the audience of a broadcast.
const broadcastConns = 10_000

// rows are the loads. Of each protocol they go from the one where a server does
// most system calls for a message to the one where copying bytes costs most.
// The UDP rows keep at most 128 datagrams in flight: more do not fit in the
// receive buffer that a UDP socket has by default, and the row would measure
// the drops.
var rows = []row{
	{"tcp-64-c100-d1", load{"tcp", echoTask, 64, false}, 100, 1},
	{"tcp-64-c100-d16", load{"tcp", echoTask, 64, false}, 100, 16},
	{"tcp-64-c1000-d1", load{"tcp", echoTask, 64, false}, 1000, 1},
	{"tcp-64-c1000-d16", load{"tcp", echoTask, 64, false}, 1000, 16},
	{"tcp-16k-c50-d1", load{"tcp", echoTask, 16 << 10, false}, 50, 1},
	{"udp-64-s32-w1", load{"udp", echoTask, 64, false}, 32, 1},
	{"udp-64-s8-w16", load{"udp", echoTask, 64, false}, 8, 16},

	{"proxy-64", load{"proxy", echoTask, 64, false}, 100, 1},
	{"proxy-bulk", load{"proxy", echoTask, 32 << 10, false}, 10, 64},

	{"http-c100-d1", load{"http", pageTask, len(page), false}, 100, 1},
	{"http-c1000-d1", load{"http", pageTask, len(page), false}, 1000, 1},
	{"http-c100-d16", load{"http", pageTask, len(page), false}, 100, 16},
	{"http-post-1k", load{"http", echoTask, 1 << 10, false}, 100, 1},
	{"https-c100-d1", load{"https", pageTask, len(page), false}, 100, 1},

	{"ws-64-c100-d1", load{"ws", echoTask, 64, false}, 100, 1},
	{"ws-64-c1000-d1", load{"ws", echoTask, 64, false}, 1000, 1},
	{"ws-64-c100-d16", load{"ws", echoTask, 64, false}, 100, 16},
	{"ws-1k-c100-d1", load{"ws", echoTask, 1 << 10, false}, 100, 1},
	{"ws-16k-c50-d1", load{"ws", echoTask, 16 << 10, false}, 50, 1},
	{"ws-1k-deflate", load{"ws", echoTask, 1 << 10, true}, 100, 1},
	{"wss-64-c100-d1", load{"wss", echoTask, 64, false}, 100, 1},

	{"bcast-128", load{"ws", broadcastTask, 128, false}, broadcastConns, 1},
	{"bcast-1k", load{"ws", broadcastTask, 1 << 10, false}, broadcastConns, 1},
	{"bcast-1k-deflate", load{"ws", broadcastTask, 1 << 10, true}, broadcastConns, 1},
}

// protocolTitles are the protocols for people.
var protocolTitles = map[string]string{
	"tcp": "TCP", "udp": "UDP", "proxy": "TCP proxy", "http": "HTTP", "https": "HTTPS", "ws": "WebSocket", "wss": "WebSocket over TLS",
}

func (r row) title() string {
	size := fmt.Sprintf("%d B", r.Size)
	if r.Size%1024 == 0 {
		size = fmt.Sprintf("%d KiB", r.Size/1024)
	}
	if r.Deflate {
		size += " compressed"
	}
	name := protocolTitles[r.Network]
	switch {
	case r.Network == "udp":
		return fmt.Sprintf("UDP, %s, %d sockets, window %d", size, r.Conns, r.Depth)
	case r.Task == broadcastTask:
		return fmt.Sprintf("%s broadcast, %s to %d connections, depth %d", name, size, r.Conns, r.Depth)
	case r.http() && r.Task == echoTask:
		name += " POST"
	}
	return fmt.Sprintf("%s, %s, %d connections, depth %d", name, size, r.Conns, r.Depth)
}

// netBuffer is the read buffer package net's goroutines get: enough for the
// burst, but not 64 KiB for each idle connection.
func (r row) netBuffer() int {
	if r.Size*r.Depth <= 4<<10 {
		return 4 << 10
	}
	return 64 << 10
}
