package workerman

// Callbacks are what a worker does with its connections. Each may be nil. Those of one
// connection run one at a time: OnConnect once, OnMessage in order, OnClose once and
// last. They run on the connection's event loop and must not block it, or, in a worker
// with Blocking set, on a goroutine.
//
// A panic is logged with its stack and closes that connection alone.
type Callbacks struct {
	// OnConnect is called when a connection is ready to use. Never for UDP.
	OnConnect func(c *Conn)
	// OnMessage gets one decoded message, or, without a protocol, what has arrived (at
	// most 64 KiB). data is lent until OnMessage returns and may be changed.
	OnMessage func(c *Conn, data []byte)
	// OnClose is called when the connection is gone, whoever ended it. c.Err says why.
	// Never for UDP.
	OnClose func(c *Conn)
	// OnBufferFull is called when what waits for the peer has reached MaxSendBuffer:
	// stop producing. It runs soon after the Send that crossed the mark, never inside it.
	OnBufferFull func(c *Conn)
	// OnBufferDrain is called when output that had to wait for the peer is all written.
	OnBufferDrain func(c *Conn)
	// OnError is called when a message was not accepted because the send buffer is full
	// (ErrBufferFull). Protocol errors and limits close the connection instead: OnClose.
	OnError func(c *Conn, err error)
}
