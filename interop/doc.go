// Package interop holds tests of workerman against programs that others wrote: curl, wrk,
// h2load, nginx, haproxy, OpenSSL, the WebSocket client of Node.js, package net/http; and
// against clients that mean no good. scripts/interop.sh installs what is missing and runs
// them.
package interop
