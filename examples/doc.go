// Package examples is the home of small programs that show workerman at work. Each
// folder is one program with a comment that says how to try it; start with echo.
//
//	echo        every message back to its sender, on any protocol and transport
//	chat        rooms, names and private messages over telnet or nc
//	broadcast   what one client sends, all others get; a timer joins in
//	heartbeat   closes clients that fell silent, by hand and with IdleTimeout
//	jsonlines   a protocol of one's own, and handlers for typed JSON messages
//	hex         bytes as they come, beside a text port, in one process
//	tcpproxy    two callers piped together, as fast as the slower one reads
//
// The tests of this package run the programs as processes and talk to them over sockets.
package examples
