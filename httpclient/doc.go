// Package httpclient asks servers of HTTP from an event loop, which does not wait: the answer
// comes as a callback on it.
//
//	var api httpclient.Client // one for the process: it keeps connections open
//
//	w.OnMessage = func(c *workerman.Conn, data []byte) {
//		api.Get(c, "https://example.com/quotes/gold", func(r *httpclient.Response, err error) {
//			if err != nil {
//				c.Send([]byte("no quote: " + err.Error()))
//				return
//			}
//			c.Send(r.Body)
//		})
//	}
//
// The first argument says whose loop it is, as that of workerman.Async does: a connection,
// with whose end the request is cancelled, a worker or a loop.
//
// Below it is the Transport of net/http with its goroutines: HTTP/1.1 and HTTP/2, TLS,
// proxies, compression. Callbacks of a Blocking worker, and goroutines, need none of this:
// they may use net/http itself.
package httpclient
