package interop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/web"
)

// TestClientsThatLeave has clients that leave in the middle of everything: nothing that was
// there for them may stay.
func TestClientsThatLeave(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		uploads := t.TempDir()
		s := serve(t, portable, "http", func(w *workerman.Worker) {
			site(t)(w)
			w.HTTP.UploadDir = uploads
			w.HTTP.MaxUploadMemory = -1 // all go to the disk
		})
		form := "--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n" + strings.Repeat("x", 300_000)
		for _, x := range []struct {
			name, request string
			read          int // bytes of the answer, before the client leaves
		}{
			{"in the head", "GET / HTTP/1.1\r\nHost:", 0},
			{"in a body", "POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 300_000), 0},
			{"in a chunk", "POST /digest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc", 0},
			{"in an upload", "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n" + form, 0},
			{"in a download", "GET /files/large.bin HTTP/1.1\r\nHost: a\r\n\r\n", 100_000},
			{"before a download", "GET /files/large.bin HTTP/1.1\r\nHost: a\r\n\r\n", 0},
			{"in events", "GET /events HTTP/1.1\r\nHost: a\r\n\r\n", 100},
			{"in a WebSocket", strings.Replace(upgrade, "GET /", "GET /ws", 1) + "\r\n", 100},
			{"in a message", strings.Replace(upgrade, "GET /", "GET /ws", 1) + "\r\n" + frame(fin|text, strings.Repeat("x", 100_000))[:50_000], 100},
		} {
			t.Run(x.name, func(t *testing.T) {
				eventually(t, "nobody is there", func() bool { return s.Stats().Connections == 0 })
				before := testkit.OpenFiles()
				for i := range 30 {
					c := s.dial(t)
					if _, err := io.WriteString(c, x.request); err != nil {
						t.Fatal(err)
					}
					if _, err := io.ReadFull(c, make([]byte, x.read)); err != nil {
						t.Fatal(err)
					}
					if i%2 == 0 {
						c.(*net.TCPConn).SetLinger(0) // by a reset
					}
					c.Close()
				}
				eventually(t, "the connections are gone", func() bool { return s.Stats().Connections == 0 })
				eventually(t, "no file is open", func() bool { return testkit.OpenFiles() <= before })
				eventually(t, "no upload is left", func() bool {
					left, err := os.ReadDir(uploads)
					return err == nil && len(left) == 0
				})
			})
		}
	})
}

// TestSlowReaders has clients that download and do not read, while others are served; at the
// end they get all of it.
func TestSlowReaders(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "http", site(t))
		const n = 5
		var slow []*bufio.Reader
		for range n {
			c := s.dial(t)
			// Two requests, the second of which has to wait.
			fmt.Fprint(c, "GET /files/large.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
			slow = append(slow, bufio.NewReader(c))
		}
		for range 100 {
			answer, err := s.tell([]string{follows})
			if got, _ := statuses(answer); err != nil || got != "404" {
				t.Fatalf("a good client is told %q, %v", answer, err)
			}
		}
		for _, in := range slow {
			for _, want := range []string{digest(large()), digest([]byte(`GET HTTP/1.1 "" ""`))} {
				r, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(r.Body)
				if got := digest(body); err != nil || got != want {
					t.Fatalf("%s, %v, want %s", got, err, want)
				}
			}
		}
	})
}

// TestHalfClosedClients send what they have to say, end their half and get all answers,
// whatever gives them.
func TestHalfClosedClients(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		text := func() *web.Response { return web.Text(strings.Repeat("x", 100_000)) }
		for name, configure := range map[string]func(w *workerman.Worker){
			"at once": func(w *workerman.Worker) {
				w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(text()) }
			},
			"by another goroutine": func(w *workerman.Worker) {
				w.OnRequest = func(c *workerman.Conn, r *web.Request) { go c.Responder().Respond(text()) }
			},
			"blocking": func(w *workerman.Worker) {
				w.Blocking = true
				w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(text()) }
			},
			"in pieces": func(w *workerman.Worker) {
				w.OnRequest = func(c *workerman.Conn, r *web.Request) {
					answer := c.Responder()
					go func() {
						if st, err := answer.Stream(web.Text("x")); err == nil {
							st.Write(make([]byte, 50_000))
							st.End()
						}
					}()
				}
			},
			"after a body in pieces": func(w *workerman.Worker) {
				w.HTTP.Body = web.Stream
				w.OnRequest = func(c *workerman.Conn, r *web.Request) {}
				w.OnBody = func(c *workerman.Conn, r *web.Request, last bool) {
					if last {
						go c.Responder().Respond(text())
					}
				}
			},
			"by a handler": func(w *workerman.Worker) {
				w.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					io.Copy(w, r.Body)
					w.Write(make([]byte, 100_000))
				}))
			},
		} {
			t.Run(name, func(t *testing.T) {
				s := serve(t, portable, "http", configure)
				const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
				for range 30 {
					c := s.dial(t)
					io.WriteString(c, strings.Repeat(post, 5))
					c.(*net.TCPConn).CloseWrite()
					all, err := io.ReadAll(c)
					c.Close()
					got, readErr := statuses(string(all))
					if want := strings.Join(slices.Repeat([]string{"200"}, 5), " "); err != nil || readErr != nil || got != want {
						t.Fatalf("%q, %v, %v, want %q", got, err, readErr, want)
					}
				}
			})
		}
	})
}

// TestHalfClosedSockets is the same for WebSockets: who ends its half without a close frame has
// the answers to what it sent before.
func TestHalfClosedSockets(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		for name, configure := range map[string]func(w *workerman.Worker){
			"on the loop": func(w *workerman.Worker) {},
			"blocking":    func(w *workerman.Worker) { w.Blocking = true },
		} {
			t.Run(name, func(t *testing.T) {
				s := serve(t, portable, "websocket", func(w *workerman.Worker) {
					w.OnMessage = answer
					configure(w)
				})
				for range 30 {
					w := s.socket(t, "")
					w.send(strings.Repeat(frame(fin|text, "x"), 5))
					w.Conn.(*net.TCPConn).CloseWrite()
					got := w.rest()
					w.Close()
					if want := append(slices.Repeat([]string{`text "x"`}, 5), "close 1000", "end"); !slices.Equal(got, want) {
						t.Fatalf("%q, want %q", got, want)
					}
				}
			})
		}
	})
}
