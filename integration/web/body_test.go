package web

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/nethttp"
)

func TestContinueIsSentAtTheFirstRead(t *testing.T) {
	_, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refuse":
			w.WriteHeader(403)
			return
		case "/explicit":
			w.WriteHeader(100)
		}
		w.WriteHeader(103) // comes first, so nothing was sent before the Read
		b, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v", b, err)
	})
	ask := func(path string) string {
		return "PUT " + path + " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
	}
	for path, want := range map[string]string{
		"/":         "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
		"/explicit": "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n",
	} {
		c := dial(t, w)
		io.WriteString(c, ask(path))
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v", got, err)
		}
		io.WriteString(c, "hi")
		if answer, body := newReader(t, c).Answer("PUT"); body != "hi <nil>" || answer.Close {
			t.Error(answer, body)
		}
	}
	answer := talk(t, w, ask("/refuse"))
	if !strings.HasPrefix(answer, "HTTP/1.1 403 ") || !strings.Contains(answer, "\r\nConnection: close\r\n") {
		t.Errorf("%q", answer)
	}
}

func TestUnreadBodiesAreReadToTheirEndIfThatIsCheap(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
		half := strings.Repeat("x", nethttp.MaxUnread/2)
		small := fmt.Sprintf("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(half))
		chunked := fmt.Sprintf("POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", len(half))
		c := dial(t, w)
		r := newReader(t, c)
		for _, test := range []struct{ path, head, tail string }{
			{"/small", small, half}, {"/chunked", chunked, half + "\r\n0\r\n\r\n"}, {"/next", get("/next"), ""},
		} {
			io.WriteString(c, test.head)
			if answer, body := r.Answer("POST"); body != test.path || answer.Close {
				t.Error(answer, body)
			}
			io.WriteString(c, test.tail) // it comes when the answer is there already
		}
		for path, head := range map[string]string{
			"/large":   "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
			"/chunked": "POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
		} {
			c := dial(t, w)
			io.WriteString(c, head)
			r := newReader(t, c)
			if answer, body := r.Answer("POST"); body != path || answer.Close != (path == "/large") {
				t.Error(answer, body)
			}
			go io.WriteString(c, strings.Repeat("x", 0xfffff)+"\r\n0\r\n\r\n"+get("/never"))
			r.Ends()
		}
	})
}

func TestMistakesInABodyAreLeftToTheHandler(t *testing.T) {
	for _, test := range []struct{ name, body, want, log string }{
		{"too long", "8\r\n12345678\r\n8\r\n12345678\r\n", "too large true", "body too long"},
		{"malformed", "8\r\n12345678\r\nzz\r\n", "too large false", "bad chunk size"},
		{"forbidden trailer", "1\r\nx\r\n0\r\nHost: b\r\n\r\n", "too large false", "not allowed in a trailer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) {
				_, err := io.ReadAll(r.Body)
				var tooLarge *http.MaxBytesError
				if err == nil || r.Context().Err() != nil {
					t.Error(err, r.Context().Err())
				}
				w.WriteHeader(422)
				fmt.Fprint(w, "too large ", errors.As(err, &tooLarge))
			}, func(w *workerman.Worker) { w.HTTP.MaxBody = 10 })
			c := dial(t, w)
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+test.body+"more\r\n")
			r := newReader(t, c)
			if answer, body := r.Answer("POST"); answer.StatusCode != 422 || body != test.want || !answer.Close {
				t.Error(answer, body)
			}
			r.Ends()
			if lines := s.Log.Lines("connection closed", test.log); len(lines) != 1 {
				t.Errorf("%s", s.Log)
			}
		})
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		ended := make(chan error, 1)
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			<-r.Context().Done()
			ended <- err
		})
		for _, head := range []string{"Content-Length: 10", "Transfer-Encoding: chunked"} {
			c := dial(t, w)
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\n"+head+"\r\n\r\n5\r\nab")
			c.(interface{ CloseWrite() error }).CloseWrite()
			if err := receive(t, ended, "the end of the body"); err != io.ErrUnexpectedEOF {
				t.Error(err)
			}
			newReader(t, c).Answer("POST") // the client may still be there
		}
	})
}

func TestBodyTimeoutIsLeftToTheHandler(t *testing.T) {
	_, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		fmt.Fprint(w, err)
	}, func(w *workerman.Worker) { w.HTTP.BodyTimeout = 50 * time.Millisecond })
	c := dial(t, w)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
	r := newReader(t, c)
	if _, body := r.Answer("POST"); !strings.Contains(body, "408") {
		t.Error(body)
	}
	r.Ends()
}

func TestHandlerReadsWhileItWrites(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			if err := rc.EnableFullDuplex(); err != nil {
				t.Error(err)
			}
			buf := make([]byte, 100)
			for {
				n, err := r.Body.Read(buf)
				if err == io.EOF {
					return
				}
				w.Write(buf[:n])
				rc.Flush()
			}
		})
		c := dial(t, w)
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
		answer := make(chan *http.Response)
		r := newReader(t, c)
		go func() {
			a, err := http.ReadResponse(r.Buffer, nil)
			if err != nil {
				t.Error(err)
			}
			answer <- a
		}()
		io.WriteString(c, "5\r\nping0\r\n")
		a := receive(t, answer, "the head")
		for i := range 10 {
			got := make([]byte, 5)
			if _, err := io.ReadFull(a.Body, got); err != nil || string(got) != fmt.Sprintf("ping%d", i) {
				t.Fatalf("%q, %v", got, err)
			}
			if i < 9 {
				fmt.Fprintf(c, "5\r\nping%d\r\n", i+1)
			}
		}
		io.WriteString(c, "0\r\n\r\n"+get("/"))
		if rest, err := io.ReadAll(a.Body); len(rest) > 0 || err != nil {
			t.Errorf("%q, %v", rest, err)
		}
		r.Answer("GET")
	})
}

func TestReadDeadlineOfABody(t *testing.T) {
	_, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		rc.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := io.ReadAll(r.Body)
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Error(err)
		}
		rc.SetReadDeadline(time.Time{})
		w.Write([]byte("go on"))
		rc.Flush()
		b, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, " %s %v", b, err)
	})
	c := dial(t, w)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
	r := newReader(t, c)
	answer, err := http.ReadResponse(r.Buffer, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "hello")
	if b, err := io.ReadAll(answer.Body); string(b) != "go on hello <nil>" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

func TestAnswerBeforeTheBodyToAClientThatSendsFirst(t *testing.T) {
	_, w := mount(t, kind{Network: "tcp"}, func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 16<<20)) // more than all buffers on the way hold
	})
	c := dial(t, w)
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", nethttp.MaxUnread)
	if _, err := c.Write(make([]byte, nethttp.MaxUnread)); err != nil {
		t.Fatal(err)
	}
	conn := <-connections(w)
	eventually(t, "the body is taken in although nobody reads it", func() bool {
		return conn.Stats().BytesRead > nethttp.MaxUnread
	})
	if answer, body := newReader(t, c).Answer("POST"); len(body) != 16<<20 || answer.Close {
		t.Error(answer, len(body))
	}
}

func TestWritesEnd(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		ended := make(chan error, 1)
		_, w := mount(t, k, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/deadline" {
				http.NewResponseController(w).SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
			}
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					ended <- err
					return
				}
			}
		})
		c := dial(t, w)
		io.WriteString(c, get("/deadline"))
		if err := receive(t, ended, "the deadline"); err != os.ErrDeadlineExceeded {
			t.Error(err)
		}
		c.Close()
		c = dial(t, w)
		io.WriteString(c, get("/"))
		io.ReadFull(c, make([]byte, 1<<20))
		c.Close()
		if err := receive(t, ended, "the end of the connection"); err != workerman.ErrClosed {
			t.Error(err)
		}
	})
}
