package session_test

import (
	"context"
	"fmt"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/session"
	"github.com/workerman-go/workerman/web"
)

func ExampleSessions_Handle() {
	sessions := &session.Sessions{Cookie: "__Host-session", Secure: true}
	w := workerman.NewWorker("http://127.0.0.1:8080")
	w.OnRequest = sessions.Handle(func(c *workerman.Conn, r *web.Request, s *session.Session) *web.Response {
		switch r.Path() {
		case "/login": // after the password was checked
			s.Regenerate(true) // an id from before the login is worth nothing
			s.Set("user", r.Form("name"))
			s.Flash("notice", "You are logged in.")
			return web.Redirect("/", 303)
		case "/logout":
			s.Destroy()
			return web.Redirect("/", 303)
		}
		return web.Text(session.Get(s, "notice", "") + " Hello " + session.Get(s, "user", "stranger"))
	})
}

// Without Handle, a request loads and a response takes what the client has to learn.
func ExampleSessions_Load() {
	sessions := new(session.Sessions)
	cookie := ""
	for range 3 {
		var (
			parser  web.Parser
			request web.Request
		)
		parser.Parse(&request, []byte("GET / HTTP/1.1\r\nHost: a\r\nCookie: session="+cookie+"\r\n\r\n"))

		s, err := sessions.Load(context.Background(), &request)
		if err != nil {
			fmt.Println(err)
			return
		}
		n, _ := s.Increment("visits", 1)
		response := web.Text(fmt.Sprintf("visit %d", n))
		if err := s.Attach(context.Background(), response); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("visit %d, cookie set: %v\n", n, response.Get("Set-Cookie") != "")
		cookie = s.ID()
	}
	// Output:
	// visit 1, cookie set: true
	// visit 2, cookie set: true
	// visit 3, cookie set: true
}
