package web

import (
	"io"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

func TestResponderAnswersItsRequestOnly(t *testing.T) {
	first := make(chan workerman.Responder, 1)
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			if r.Path() == "/1" {
				p := c.Responder()
				if err := p.Respond(web.Text("one")); err != nil {
					t.Error(err)
				}
				first <- p
				return
			}
			late := <-first
			if err := late.Respond(web.Text("late")); err != workerman.ErrNoRequest {
				t.Error(err)
			}
			if _, err := late.Stream(web.Text("late")); err != workerman.ErrNoRequest {
				t.Error(err)
			}
			st, err := c.Responder().Stream(web.Text("two"))
			if err != nil {
				t.Error(err)
				return
			}
			st.End()
		}
	})
	c := dial(t, w)
	io.WriteString(c, get("/1")+get("/2"))
	r := newReader(t, c)
	for _, want := range []string{"one", "two"} {
		if _, body := r.Answer("GET"); body != want {
			t.Errorf("%q, want %q", body, want)
		}
	}
	if err := (workerman.Responder{}).Respond(web.Text("")); err != workerman.ErrNoRequest {
		t.Error(err)
	}
}

// plainForms are the ways to answer that do not say which request they mean.
var plainForms = map[string]func(c *workerman.Conn, r *web.Request) error{
	"Respond":   func(c *workerman.Conn, r *web.Request) error { return c.Respond(web.Text("plain")) },
	"announce":  func(c *workerman.Conn, r *web.Request) error { return c.Respond(web.Status(103)) },
	"Send":      func(c *workerman.Conn, r *web.Request) error { return c.Send([]byte("plain")) },
	"SendText":  func(c *workerman.Conn, r *web.Request) error { return c.SendText([]byte("plain")) },
	"Upgrade":   func(c *workerman.Conn, r *web.Request) error { return c.Upgrade(r) },
	"Responder": func(c *workerman.Conn, r *web.Request) error { return c.Responder().Respond(web.Text("plain")) },
	"Stream": func(c *workerman.Conn, r *web.Request) error {
		_, err := c.Stream(web.Text("plain"))
		return err
	},
}

// A late answer of the first request, in a plain form, comes while the second one waits.
func TestHTTPLatePlainAnswersReachNoOtherRequest(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, blocking := range []bool{false, true} {
			refused := make(chan string, 2*len(plainForms))
			s, w := serve(t, k, "http", func(w *workerman.Worker) {
				w.Blocking = blocking
				w.OnRequest = func(c *workerman.Conn, r *web.Request) {
					answer, path, kept := c.Responder(), r.Path(), r.Clone()
					c.Post(func() {
						for name, form := range plainForms {
							if err := form(c, kept); err != workerman.ErrNoRequest {
								refused <- name + ": " + errorText(err)
							}
						}
						if err := answer.Respond(web.Text(path)); err != nil {
							refused <- "its own answer: " + errorText(err)
						}
						if err := answer.Respond(web.Text("again")); err != workerman.ErrNoRequest {
							refused <- "a second answer: " + errorText(err)
						}
					})
				}
			})
			c := dial(t, w)
			upgrade := get("/1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
				"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
			io.WriteString(c, upgrade+strings.Replace(upgrade, "/1", "/2", 1))
			r := newReader(t, c)
			for _, want := range []string{"/1", "/2"} {
				if answer, got := r.Answer("GET"); got != want || answer.StatusCode != 200 {
					t.Errorf("blocking %v: got %v %q, want 200 %q", blocking, answer.Status, got, want)
				}
			}
			close(refused)
			for what := range refused {
				t.Errorf("blocking %v: %s", blocking, what)
			}
			if got := s.Log.Lines("level=ERROR", "c.Responder()"); len(got) != 1 {
				t.Errorf("blocking %v: got %d lines of the log about it, want 1: %q", blocking, len(got), got)
			}
		}
	})
}

func errorText(err error) string {
	if err == nil {
		return "got no error"
	}
	return "got the error " + err.Error()
}

func TestHTTPPlainAnswersInOnBody(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
			w.HTTP.Body, w.Blocking = web.Stream, blocking
			w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Data = r.Path() }
			w.OnBody = func(c *workerman.Conn, r *web.Request, last bool) {
				if last {
					if err := c.Send([]byte(c.Data.(string))); err != nil {
						t.Errorf("blocking %v: %v", blocking, err)
					}
				}
			}
		})
		c := dial(t, w)
		r := newReader(t, c)
		for _, path := range []string{"/1", "/2"} {
			io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
			if _, got := r.Answer("POST"); got != path {
				t.Errorf("blocking %v: got %q, want %q", blocking, got, path)
			}
		}
	}
}

func TestResponderInEveryForm(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, blocking := range []bool{false, true} {
			_, w := serve(t, k, "http", func(w *workerman.Worker) {
				w.Blocking = blocking
				echoKind(w)
				w.OnRequest = func(c *workerman.Conn, r *web.Request) {
					answer, r := c.Responder(), r.Clone()
					workerman.Async(c, func() (string, error) { return r.Path(), nil }, func(path string, _ error) {
						switch path {
						case "/page":
							answer.Send([]byte("page"))
						case "/stream":
							answer.Respond(web.Status(103).Set("Link", "</style.css>"))
							st, err := answer.Stream(web.Text("a "))
							if err != nil {
								t.Error(err)
								return
							}
							io.WriteString(st, "stream")
							st.End()
						case "/run":
							called := false
							if err := answer.Run(func() { called = true; c.Respond(web.Text("run")) }); err != nil || !called {
								t.Errorf("Run: got %v, called %v", err, called)
							}
							if err := answer.Run(func() { t.Error("Run calls for a request that is answered") }); err != workerman.ErrNoRequest {
								t.Errorf("Run behind the answer: got %v, want ErrNoRequest", err)
							}
						case "/ws":
							if err := answer.Upgrade(r); err != nil {
								t.Errorf("Upgrade: %v", err)
							}
							c.Send([]byte("welcome"))
						}
						for name, err := range map[string]error{
							"Respond": answer.Respond(web.Text("")), "announce": answer.Respond(web.Status(103)), "Send": answer.Send(nil),
						} {
							if err != workerman.ErrNoRequest {
								t.Errorf("%s, then %s: got %v, want ErrNoRequest", path, name, err)
							}
						}
					})
				}
			})
			c := newWebSocket(t, dial(t, w))
			io.WriteString(c, get("/page")+get("/run"))
			r := newReader(t, c)
			for _, want := range []string{"page", "run"} {
				if _, got := r.Answer("GET"); got != want {
					t.Errorf("blocking %v: got %q, want %q", blocking, got, want)
				}
			}
			io.WriteString(c, get("/stream"))
			if early, _ := r.Answer("GET"); early.StatusCode != 103 {
				t.Errorf("got %s, want 103", early.Status)
			}
			if _, got := r.Answer("GET"); got != "a stream" {
				t.Errorf("got %q, want %q", got, "a stream")
			}
			if err := c.ShakeHands("/ws", nil); err != nil {
				t.Fatal(err)
			}
			c.Expect(websocket.Text, []byte("welcome"))
			c.Send(websocket.Binary, []byte("data"))
			c.Expect(websocket.Binary, []byte("data"))
		}
	})
}

func TestTheZeroResponderAnswersNothing(t *testing.T) {
	var p workerman.Responder
	_, err := p.Stream(web.Text(""))
	for name, err := range map[string]error{
		"Respond": p.Respond(web.Text("")), "Send": p.Send(nil), "Stream": err,
		"Upgrade": p.Upgrade(new(web.Request)), "Run": p.Run(func() { t.Error("it calls") }),
	} {
		if err != workerman.ErrNoRequest {
			t.Errorf("%s: got %v, want ErrNoRequest", name, err)
		}
	}
}

func TestHTTPCloseWithOutsideOfTheCallback(t *testing.T) {
	closed := make(chan error, 1)
	_, w := serve(t, kind{Network: "tcp"}, "http", func(w *workerman.Worker) {
		w.OnRequest = func(c *workerman.Conn, r *web.Request) {
			c.Post(func() { closed <- c.CloseWith([]byte("late")) })
		}
	})
	c := dial(t, w)
	io.WriteString(c, get("/"))
	if err := receive(t, closed, "CloseWith"); err != workerman.ErrNoRequest {
		t.Errorf("got %v, want ErrNoRequest", err)
	}
	newReader(t, c).Ends()
}
