// Package workerman is a framework for servers that keep connections open: chat and
// push, gateways for devices, games, RPC, proxies.
//
//	chat := workerman.NewWorker("websocket://0.0.0.0:2346")
//	chat.OnMessage = func(c *workerman.Conn, data []byte) { chat.Broadcast(data) }
//	workerman.RunAll()
//
// # Model
//
// A [Worker] is one service: an address, a protocol and callbacks. A [Conn] is one
// connection of it. A process serves a worker on event loops; each connection lives on one
// loop. With Loops 1, the default, every callback and timer of the process runs on the same
// loop, one at a time, so plain variables need no locks. With more loops the callbacks of one
// connection are still serial.
//
// # Processes
//
// On Linux [RunAll] makes the program its own supervisor: a master process, which opens the
// addresses, and Count processes for each worker, which share nothing. Each is the program
// started anew: main runs up to RunAll, which serves the one worker, and those that are
// [Worker.Inside] it. The commands start, stop, reload, status and others are arguments of
// the same program; a reload brings out a new version without closing what can move, see
// [Worker.OnHandover]. [Run] serves all workers in the calling process, and so does RunAll on
// other systems.
//
// # Protocols
//
// The scheme of the address says what the callbacks get. OnMessage gets bytes as they come
// (tcp, unix, udp), lines (text), messages with a length (frame), those of a WebSocket
// (websocket or ws), or what a registered [Protocol] cuts out. OnRequest gets the requests of
// http, which [Conn.Respond] or [Conn.Stream] answers and [Conn.Upgrade] turns into WebSockets;
// [Worker.Handle] serves them with a handler of net/http instead. ssl, https and wss are
// tcp, http and websocket over TLS; see [ServerTLS].
//
// # What may block
//
// Nothing that runs on a loop: while a callback runs, every other connection of that
// loop waits. A worker with Blocking set runs each connection's callbacks on a goroutine
// instead, in order; [Async] does one piece of work elsewhere and comes back. Handlers of
// net/http have a goroutine for each request.
//
// # Memory
//
// The data and the request that a callback gets are lent: they are valid until the callback
// returns. Copy what you keep; a request has Clone. Master.PoisonLent overwrites them
// afterwards, which finds who forgot.
//
// # Goroutines
//
// The methods of Conn, Worker, Client, Group and Timer may be called from every goroutine unless
// they say otherwise. Fields of a Worker are set before it starts, its callbacks also in
// OnWorkerStart; a copy is taken then.
//
// # Close
//
// [Conn.Close] sends what was accepted, then ends the connection: nothing is lost,
// however slow the peer reads, up to LingerTimeout. [Conn.Destroy] drops it. Either way
// OnClose is called exactly once, as the last callback.
package workerman
