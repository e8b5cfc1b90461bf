package workerman

import "github.com/workerman-go/workerman/web"

// Callbacks are what a worker or a client does with its connections. Each may be nil. Those
// of one connection run one at a time: OnConnect once, OnMessage in order, OnClose once and
// last. They run on the connection's event loop and must not block it, or, in a worker
// with Blocking set, on a goroutine.
//
// A Client's OnError is called also when it could not connect, with a c that never was open,
// and when a datagram came back refused.
//
// A panic is logged with its stack and closes that connection alone.
type Callbacks struct {
	// OnConnect is called when a connection is ready to use: after the handshakes of TLS and
	// of a websocket:// worker. It is never called for a worker's peers over UDP.
	OnConnect func(c *Conn)
	// OnMessage gets one decoded message, also of a WebSocket, or, without a protocol, what
	// has arrived (at most 64 KiB). data is lent until OnMessage returns and may be changed.
	OnMessage func(c *Conn, data []byte)
	// OnRequest gets a request of an http:// worker, to be answered in it by c.Respond,
	// c.Stream, c.Send or c.Upgrade, or later by the Responder that it takes. r is lent until
	// OnRequest returns; r.Clone may be kept. Without it every request is answered by 404.
	OnRequest func(c *Conn, r *web.Request)
	// OnBody gets the body of a request in pieces, each as r.Body, if HTTP.Body is
	// web.Stream: OnRequest has only the head then. last comes once, with an empty piece
	// and the trailers. It may answer as OnRequest may. c.PauseRecv holds the client back. Once
	// the request is answered no piece comes any more. r is lent, and has of the head only the method.
	OnBody func(c *Conn, r *web.Request, last bool)
	// OnUpgrade may refuse a client that asks for a WebSocket: it returns nil, or a response
	// with status 101 and fields to add to the answer, as cookies or the choice of a
	// Sec-WebSocket-Protocol, to let it in, or any other response to turn it away. r is lent.
	// An http:// worker, with OnRequest or with Handle, serves WebSockets too if OnUpgrade is
	// set; otherwise such a request is one like others, and c.Upgrade is a way to answer it.
	OnUpgrade func(c *Conn, r *web.Request) *web.Response
	// OnPing and OnPong get the data of a WebSocket's pings and pongs, lent. Pings have been
	// answered by then.
	OnPing func(c *Conn, data []byte)
	OnPong func(c *Conn, data []byte)
	// OnClose is called once, after the connection has ended, if OnConnect was called. c.Err says
	// why it ended, c.CloseCode what a WebSocket's peer said. It is never called for a worker's
	// peers over UDP.
	OnClose func(c *Conn)
	// OnBufferFull is called when what waits for the peer has reached MaxSendBuffer:
	// stop producing. It runs soon after the Send that crossed the mark, never inside it.
	OnBufferFull func(c *Conn)
	// OnBufferDrain is called when output that had to wait for the peer is all written.
	OnBufferDrain func(c *Conn)
	// OnError is called when a message, or a piece of a Stream, was not accepted because the
	// send buffer is full (ErrBufferFull). Protocol errors and limits close the connection
	// instead: OnClose.
	OnError func(c *Conn, err error)
}
