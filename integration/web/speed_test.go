package web

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/workerman-go/workerman"
)

// BenchmarkHandler serves a plain text by the same handler, one request at a time. The
// client allocates nothing.
//
//	go test -run xxx -bench Handler -benchmem ./integration/web
func BenchmarkHandler(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "Hello, World!")
	})
	ask := []byte(get("/plaintext", "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20130501 Firefox/30.0",
		"Accept: text/plain,text/html;q=0.9,application/xhtml+xml", "Accept-Encoding: gzip, deflate", "Connection: keep-alive"))
	run := func(b *testing.B, a net.Addr) {
		c, err := net.Dial(a.Network(), a.String())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		answer := make([]byte, 4096)
		b.ReportAllocs()
		for b.Loop() {
			c.Write(ask)
			if n, err := c.Read(answer); n < 100 || err != nil {
				b.Fatalf("%q, %v", answer[:n], err)
			}
		}
	}
	b.Run("workerman", func(b *testing.B) {
		m := &workerman.Master{Logger: discardLogger()}
		w := m.NewWorker("http://127.0.0.1:0")
		w.Handle(handler)
		addr := make(chan net.Addr, 1)
		w.OnWorkerStart = func(w *workerman.Worker) error {
			addr <- w.Addr()
			return nil
		}
		done := make(chan error, 1)
		go func() { done <- m.Run(b.Context()) }()
		run(b, <-addr)
		m.StopAll()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	b.Run("nethttp", func(b *testing.B) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		s := &http.Server{Handler: handler}
		go s.Serve(ln)
		defer s.Close()
		run(b, ln.Addr())
	})
}
