// Package websocket is the WebSocket protocol, RFC 6455, with the compression of RFC
// 7692, for servers and clients. It is sans-I/O: bytes in, messages and bytes out. It
// knows no socket, no clock and no goroutine, so an event loop, a test and a fuzzer drive
// it in the same way.
//
// A server gets the request from the parser of package web, asks Options.Negotiate, and
// answers with AppendAccept, or with HandshakeError.Response. A client writes what
// ClientHandshake.AppendRequest gives and reads with ParseResponse. From then on both
// hold a Codec: Codec.Next turns received bytes into events, and AppendMessage,
// AppendControl and AppendClose turn messages into bytes.
//
// Memory: Next unmasks in the buffer that it is lent, and the data of an event lies in
// that buffer as long as the message is neither fragmented nor compressed. Other messages
// are put together in pooled buffers, which go back with the next call of Next. A Codec
// that is in no message owns nothing but, with context takeover, its sliding windows.
//
// Goroutines: a Codec has two halves. Next and Release belong to the receiving side, all
// methods named Append and Prepared.Frame to the sending side. Each half is for one
// goroutine at a time; the halves share nothing that changes, so that a lock around the
// sending half is all a connection needs.
package websocket
