// Package session keeps values for a client between its requests: in a Store, under a random
// id that the client has in a cookie.
//
//	sessions := &session.Sessions{Store: files} // the zero value keeps them in memory
//	w.OnRequest = sessions.Handle(func(c *workerman.Conn, r *web.Request, s *session.Session) *web.Response {
//		n, _ := s.Increment("visits", 1)
//		return web.Text(fmt.Sprintf("visit %d", n))
//	})
//
// Without Handle, Load comes before the work on a request and Attach after it.
//
// Ids are made here and nowhere else: one that the store does not know, or knows no more,
// begins an empty session with a new id, so nobody can plant one. Call Regenerate whenever
// a client gains rights, as at login, so that an id from before is worth nothing.
//
// A visitor costs nothing: a session without values is neither saved nor given a cookie, and
// one that has lost all of its values is deleted. What has not changed is not written.
//
// Values are kept as JSON, so that a value is the same before and after it was stored.
//
// Two requests of one client at the same time each work on a copy of their own. Each save
// writes the whole session and the last one wins; what a session holds is always what one
// request left. A save cannot bring back a session that another request has destroyed
// meanwhile: it fails with ErrGone. What must be exact, such as a balance, belongs in a
// database.
package session
