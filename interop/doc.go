// Package interop holds tests of workerman against programs that others wrote: curl, wrk,
// h2load, nginx, haproxy, OpenSSL, the WebSockets of Node.js, package net/http, and for the
// clients ncat, socat, microsocks, tinyproxy, Mosquitto and dnsmasq; and against clients that
// mean no good. scripts/interop.sh installs what is missing and runs them.
package interop
