// Package examples is the home of small programs that show workerman at work. Each
// folder is one program with a comment that says how to try it; start with hello.
//
//	hello       the program of the README: what one client sends, all get
//	echo        every message back to its sender, on any protocol and transport
//	chat        a page with rooms, its WebSocket on the same port, terminals welcome (Inside)
//	broadcast   what one client sends, all others get; a timer joins in
//	heartbeat   closes clients that fell silent, by hand and with IdleTimeout
//	jsonlines   a protocol of one's own, and handlers for typed JSON messages
//	hex         bytes as they come, and a text port beside them
//	tcpproxy    a proxy, and a relay for two callers, as fast as the slower side reads
//	crontab     jobs by the calendar
//	handover    a reload that no client notices (OnHandover, OnAdopt)
//
// These connect to others:
//
//	tcpclient   asks a server again and again, and comes back when that was away
//	udpclient   asks until there is an answer
//	wsclient    a WebSocket in the terminal
//	feed        one WebSocket's messages for the WebSockets of many
//	asynctask   slow work in processes of its own (Count)
//	socks5      a SOCKS5 proxy
//	httpproxy   a proxy for browsers
//
// These speak HTTP and WebSocket:
//
//	webapp      requests and answers of every kind
//	static      the files of a directory, with ranges and validators
//	upload      files by drag and drop, with a progress bar, straight to the disk
//	sse         a clock and news, pushed to browsers that come back where they left off
//	auth        WebSockets that have to say who they are, in time
//	push        other programs send messages to the browsers of a user (Inside)
//	https       a page over TLS, a certificate that is renewed, a redirect to it
//	wss         WebSockets over TLS
//	ginapp      an application of the router gin, a module of its own
//	realip      the client's address behind proxies, by header fields or the PROXY protocol
//
// Each takes the commands of every program that calls RunAll: try "go run ./examples/echo help".
// Supervision is tested with the program in the folder operation.
//
// The tests of this package run the programs as processes and talk to them over sockets;
// those in the folder browser look at the pages with a real browser.
package examples
