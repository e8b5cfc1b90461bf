package secure

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
)

func TestTLSManyAtATime(t *testing.T) {
	clients := 1000
	if testkit.Race {
		clients = 300
	}
	engines(t, func(t *testing.T, k kind) {
		_, w, a := serveTLS(t, k, "text+ssl", echo)
		config := a.ClientConfig("a.test")
		conns := make([]*tls.Conn, clients)
		var all sync.WaitGroup
		for i := range conns {
			conns[i] = tls.Client(dial(t, w), config)
			all.Go(func() {
				m := fmt.Appendf(nil, "%d\n", i)
				conns[i].Write(m)
				got := make([]byte, len(m))
				if _, err := io.ReadFull(conns[i], got); err != nil || !bytes.Equal(got, m) {
					t.Errorf("the answer is %q, %v, want %q", got, err, m)
				}
			})
		}
		all.Wait()
		if n := w.Stats().Connections; n != clients {
			t.Errorf("%d connections", n)
		}
		if n := strings.Count(testkit.Stacks(), "crypto/tls"); n != 0 {
			t.Errorf("%d goroutines of idle connections", n)
		}
		if n := runtime.NumGoroutine(); k.Portable == false && n > 50 {
			t.Errorf("%d goroutines with %d connections", n, clients)
		}
	})
}

// What Close finds accepted arrives whole, however slow the client is.
func TestTLSCloseDeliversEverything(t *testing.T) {
	const size = 16 << 20
	engines(t, func(t *testing.T, k kind) {
		reasons := make(chan error, 1)
		_, w, a := serveTLS(t, k, "ssl", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				c.Send(numbered(1, size))
				c.Close()
			}
			w.OnClose = func(c *workerman.Conn) { reasons <- c.Err() }
		})
		c := dialTLS(t, w, a.ClientConfig("a.test"))
		c.Write([]byte("x"))
		want := numbered(1, size)
		got := make([]byte, 0, size)
		for step := make([]byte, 1<<20); ; {
			n, err := io.ReadFull(c, step)
			got = append(got, step[:n]...)
			if err != nil {
				break
			}
			done := make(chan struct{})
			w.Post(func() { close(done) }) // the loop is not held up
			<-done
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d of %d bytes", len(got), len(want))
		}
		c.Close()
		if err := receive(t, reasons, "OnClose"); err != nil {
			t.Errorf("reason %v", err)
		}
	})
}

func TestTLSPipe(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		const size = 4 << 20
		_, w, a := serveTLS(t, k, "ssl", workertest.PipePairs)
		one := dialTLS(t, w, a.ClientConfig("a.test"))
		eventually(t, "the first is there", func() bool { return w.Stats().Connections == 1 })
		other := dialTLS(t, w, a.ClientConfig("a.test"))
		go one.Write(numbered(1, size))
		go other.Write(numbered(2, size))
		for i, c := range []net.Conn{other, one} {
			got := make([]byte, size)
			if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, numbered(i+1, size)) {
				t.Fatalf("%d of %d bytes, %v", n, size, err)
			}
		}
		if n := w.Stats().SendFail; n != 0 {
			t.Errorf("%d messages were refused", n)
		}
	})
}

// Broadcast reaches those whose handshake is done, and nobody earlier.
func TestTLSBroadcast(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		_, w, a := serveTLS(t, k, "text+ssl", echo)
		silent := dial(t, w)
		half := dial(t, w)
		half.Write([]byte{22})
		var clients []*tls.Conn
		for range 10 {
			c := dialTLS(t, w, a.ClientConfig("a.test"))
			c.Write([]byte("x\n"))
			io.ReadFull(c, make([]byte, 2))
			clients = append(clients, c)
		}
		if n, err := w.Broadcast([]byte("to all")); n != len(clients) || err != nil {
			t.Errorf("Broadcast: %d, %v", n, err)
		}
		for _, c := range clients {
			got := make([]byte, 7)
			if _, err := io.ReadFull(c, got); err != nil || string(got) != "to all\n" {
				t.Errorf("the broadcast is %q, %v, want %q", got, err, "to all\n")
			}
		}
		if n := w.Stats().Connections; n != 12 {
			t.Errorf("%d connections", n)
		}
		silent.Close()
		half.Close()
	})
}

func TestTLSPauseRecv(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		type message struct {
			c *workerman.Conn
			s string
		}
		got := make(chan message, 100)
		_, w, a := serveTLS(t, k, "text+ssl", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				c.PauseRecv()
				got <- message{c, string(data)}
			}
		})
		c := dialTLS(t, w, a.ClientConfig("a.test"))
		for i := range 50 {
			fmt.Fprintf(c, "%d\n%d again\n", i, i)
		}
		for i := range 50 {
			for _, want := range []string{fmt.Sprint(i), fmt.Sprint(i, " again")} {
				m := receive(t, got, "a message")
				if m.s != want || len(got) != 0 {
					t.Fatalf("%q, %d more; want %q", m.s, len(got), want)
				}
				m.c.ResumeRecv()
			}
		}
	})
}

func TestTLSBlocking(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		events := make(chan string, 10)
		_, w, a := serveTLS(t, k, "text+ssl", func(w *workerman.Worker) {
			w.Blocking = true
			w.OnConnect = func(c *workerman.Conn) { events <- "connect" }
			w.OnMessage = func(c *workerman.Conn, data []byte) { events <- string(data); c.Send(data) }
			w.OnClose = func(c *workerman.Conn) { events <- "close" }
		})
		if err := shakeHands(t, w, a.ClientConfig("a.test")); err != nil {
			t.Fatalf("handshake: %v", err)
		}
		for _, want := range []string{"connect", "x", "close"} {
			if e := receive(t, events, want); e != want {
				t.Errorf("%s, want %s", e, want)
			}
		}
		c := dial(t, w)
		c.Write([]byte("rubbish"))
		io.ReadAll(c)
		c.Close()
		eventually(t, "it is gone", func() bool { return w.Stats().Connections == 0 })
		if len(events) != 0 {
			t.Errorf("%s for what was no connection", <-events)
		}
	})
}

// A stop ends handshakes as well; the test's own leak check sees what would stay.
func TestTLSStopDuringHandshakes(t *testing.T) {
	engines(t, func(t *testing.T, k kind) {
		s, w, _ := serveTLS(t, k, "text+ssl", nil)
		s.Master.StopTimeout = testkit.Patience
		for range 5 {
			c := dial(t, w)
			c.Write([]byte{22, 3, 1})
			go func() {
				io.ReadAll(c)
				c.Close()
			}()
		}
		eventually(t, "they have begun", func() bool { return w.Stats().Connections == 5 })
		s.Stop()
		if n := w.Stats().TLSFailures; n != 0 {
			t.Errorf("%d failures", n)
		}
	})
}

// Another implementation of TLS as the client.
func TestTLSWithOpenssl(t *testing.T) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("there is no openssl")
	}
	engines(t, func(t *testing.T, k kind) {
		_, w, a := serveTLS(t, k, "text+ssl", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) { c.CloseWith(bytes.ToUpper(data)) }
		})
		ca := filepath.Join(t.TempDir(), "ca.pem")
		writeFile(t, ca, a.PEM())
		for _, version := range []string{"-tls1_2", "-tls1_3"} {
			cmd := exec.Command(path, "s_client", "-connect", w.Addr().String(), "-servername", "a.test", "-verify_hostname", "a.test",
				"-CAfile", ca, "-verify_return_error", "-quiet", version)
			in, out := new(bytes.Buffer), new(bytes.Buffer)
			fmt.Fprintln(in, "hello")
			cmd.Stdin, cmd.Stdout = in, out
			if err := cmd.Run(); err != nil || out.String() != "HELLO\n" {
				t.Errorf("%s: %q, %v", version, out, err)
			}
		}
	})
}
