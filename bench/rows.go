package main

import "fmt"

// row is one load: a table of the report.
type row struct {
	Name    string `json:"name"` // what -rows is matched with
	Network string `json:"network"`
	Size    int    `json:"size"`
	Conns   int    `json:"conns"`
	Depth   int    `json:"depth"`
}

// rows are the loads, from the one where a server does most system calls for
// a message to the one where copying bytes costs most. The UDP rows keep at
// most 128 datagrams in flight: more do not fit in the receive buffer that a
// UDP socket has by default, and the row would measure the drops.
var rows = []row{
	{Name: "tcp-64-c100-d1", Network: "tcp", Size: 64, Conns: 100, Depth: 1},
	{Name: "tcp-64-c100-d16", Network: "tcp", Size: 64, Conns: 100, Depth: 16},
	{Name: "tcp-64-c1000-d1", Network: "tcp", Size: 64, Conns: 1000, Depth: 1},
	{Name: "tcp-64-c1000-d16", Network: "tcp", Size: 64, Conns: 1000, Depth: 16},
	{Name: "tcp-16k-c50-d1", Network: "tcp", Size: 16 << 10, Conns: 50, Depth: 1},
	{Name: "udp-64-s32-w1", Network: "udp", Size: 64, Conns: 32, Depth: 1},
	{Name: "udp-64-s8-w16", Network: "udp", Size: 64, Conns: 8, Depth: 16},
}

func (r row) title() string {
	size := fmt.Sprintf("%d B", r.Size)
	if r.Size%1024 == 0 {
		size = fmt.Sprintf("%d KiB", r.Size/1024)
	}
	if r.Network == "udp" {
		return fmt.Sprintf("UDP, %s, %d sockets, window %d", size, r.Conns, r.Depth)
	}
	return fmt.Sprintf("TCP, %s, %d connections, depth %d", size, r.Conns, r.Depth)
}

// netBuffer is the read buffer package net's goroutines get: enough for the
// burst, but not 64 KiB for each idle connection.
func (r row) netBuffer() int {
	if r.Size*r.Depth <= 4<<10 {
		return 4 << 10
	}
	return 64 << 10
}
