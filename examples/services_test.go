package examples

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
)

func TestHeartbeat(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "heartbeat", "-timer", "text://"+anyPort, "-limit", "text://"+anyPort, "-silent", testkit.Scale(800*time.Millisecond).String(), "-check", "100ms")
		at := p.addresses(2)
		for i, way := range []string{"timer", "limit"} {
			t.Run(way, func(t *testing.T) {
				silent, once, talks := dial(t, "tcp", at[i]), dial(t, "tcp", at[i]), dial(t, "tcp", at[i])
				begin := time.Now()
				once.send("hello\n")
				once.gets("pong")
				for time.Since(begin) < testkit.Scale(1500*time.Millisecond) {
					talks.send("ping\n")
					talks.gets("pong")
					talks.stays(100 * time.Millisecond)
				}
				silent.ends()
				once.ends()
				talks.send("ping\n")
				talks.gets("pong")
				talks.ends()
			})
		}
		p.endsWell(syscall.SIGTERM)
	})
}

func TestJSONLines(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "jsonlines", "-listen", "jsonl://"+anyPort)
		c := dial(t, "tcp", p.address())
		for _, step := range []struct{ request, answer string }{
			{`{"op":"quote","symbol":"ACME"}`, `{"quote":{"symbol":"ACME","cents":1250}}`},
			{`{"op":"buy","symbol":"ACME","quantity":3}`, `{"order":{"id":1,"symbol":"ACME","quantity":3,"cents":1250}}`},
			{`  {"op":"sell","symbol":"ACME","quantity":1}` + "\r", `{"order":{"id":2,"symbol":"ACME","quantity":-1,"cents":1251}}`},
			{"\n\r\n" + `{"op":"orders"}`, `{"orders":[{"id":1,"symbol":"ACME","quantity":3,"cents":1250},{"id":2,"symbol":"ACME","quantity":-1,"cents":1251}]}`},
			{`{"op":"quote","symbol":"NONE"}`, `{"error":"unknown symbol \"NONE\""}`},
			{`{"op":"buy","symbol":"ACME"}`, `{"error":"quantity is 0; it must be 1 to 1000000"}`},
			{`{"op":"steal"}`, `{"error":"unknown op \"steal\"; known are quote, buy, sell, orders"}`},
		} {
			c.send(step.request + "\n")
			c.gets(step.answer)
		}
		for _, bad := range []string{"no json\n", `{"op":5}` + "\n", strings.Repeat("[", 70<<10)} {
			c := dial(t, "tcp", p.address())
			c.send(bad)
			c.ends()
		}
		c.send(`{"op":"quote","symbol":"LOOP"}` + "\n")
		c.gets(`{"quote":{"symbol":"LOOP","cents":99}}`)
		p.endsWell(syscall.SIGTERM)
	})
}

// A message that is no JSON is dropped on UDP, where there is no connection to close.
func TestJSONLinesOverUDP(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "jsonlines", "-listen", "jsonl+udp://"+anyPort)
		c := dial(t, "udp", p.address())
		c.send("no json\n")
		c.send(`{"op":"quote","symbol":"LOOP"}` + "\n")
		c.gets(`{"quote":{"symbol":"LOOP","cents":99}}`)
		p.endsWell(syscall.SIGTERM)
	})
}

func TestBroadcast(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "broadcast", "-listen", "text://"+anyPort, "-tick", "50ms")
		a, b, c := dial(t, "tcp", p.address()), dial(t, "tcp", p.address()), dial(t, "tcp", p.address())
		for _, one := range []*client{a, b, c} {
			if line := one.line(); !strings.HasPrefix(line, "It is ") {
				t.Errorf("the timer says %q", line)
			}
		}
		a.send("from a\n")
		hears(b, "from a")
		hears(c, "from a")
		b.send("from b\n")
		hears(a, "from b") // and not what a sent
		hears(c, "from b")
		p.endsWell(syscall.SIGTERM)
	})
}

// hears expects a line behind any number of those of the timer.
func hears(c *client, want string) {
	c.t.Helper()
	line := c.line()
	for strings.HasPrefix(line, "It is ") {
		line = c.line()
	}
	if line != want {
		c.t.Fatalf("got %q, want %q", line, want)
	}
}

func TestHex(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "hex", "-bytes", "tcp://"+anyPort, "-hex", "text://"+anyPort)
		at := p.addresses(2)
		raw := dial(t, "tcp", at[0])
		raw.send("Hi\x00\xff")
		raw.gets("486900ff")
		p.says("sent 486900ff")

		lines := dial(t, "tcp", at[1])
		const wrong = "error: a line is pairs of the digits 0-9 and a-f, as in 48 69 0a: encoding/hex: "
		for _, step := range []struct{ line, answer string }{
			{"48 69 00 FF", `4 bytes: 486900ff "Hi\x00\xff"`},
			{"\t4a4b\r", `2 bytes: 4a4b "JK"`},
			{"", `0 bytes:  ""`},
			{"4g", wrong + "invalid byte: U+0067 'g'"},
			{"123", wrong + "odd length hex string"},
		} {
			lines.send(step.line + "\n")
			lines.gets(step.answer)
		}
		p.endsWell(syscall.SIGTERM)
	})
}

func startProxy(t *testing.T, engine string, args ...string) (p *process, a, b string) {
	t.Helper()
	p = start(t, engine, "tcpproxy", append([]string{"-a", "tcp://" + anyPort, "-b", "tcp://" + anyPort}, args...)...)
	at := p.addresses(2)
	return p, at[0], at[1]
}

// A usual proxy, before a server that echoes and then before none.
func TestProxyToAServer(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		server, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		go func() {
			for {
				c, err := server.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					io.Copy(c, c)
				}()
			}
		}()
		p := start(t, engine, "tcpproxy", "-a", "tcp://"+anyPort, "-to", "tcp://"+server.Addr().String())
		a, b := dial(t, "tcp", p.address()), dial(t, "tcp", p.address())
		sent := random(8<<20, 3)
		written := writeAll(a, sent)
		b.send("meanwhile\n")
		b.gets("meanwhile")
		readInPieces(a, sent)
		written.ends(t)
		a.Conn.Conn.(*net.TCPConn).CloseWrite()
		a.ends()
		server.Close()
		c := dial(t, "tcp", p.address())
		c.ends()
		p.says("connection refused")
		b.send("goes on\n")
		b.gets("goes on")
		p.endsWell(syscall.SIGTERM)
	})
}

// random returns bytes that show any loss, repetition or change of order.
func random(size int, seed byte) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// Both callers send 8 MiB before either reads, one of them before the other is there.
func TestProxySlowReaders(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p, atA, atB := startProxy(t, engine)
		fromA, fromB := random(8<<20, 1), random(8<<20, 2)
		a := dial(t, "tcp", atA)
		writtenA := writeAll(a, fromA)
		writtenA.stallsOrEnds(t)
		b := dial(t, "tcp", atB)
		b.Conn.Conn.(*net.TCPConn).SetReadBuffer(256 << 10)
		writtenB := writeAll(b, fromB)
		writtenB.stallsOrEnds(t)

		readInPieces(b, fromA)
		readInPieces(a, fromB)
		writtenA.ends(t)
		writtenB.ends(t)

		last := []byte("goodbye")
		a.send(string(last))
		a.Conn.Conn.(*net.TCPConn).CloseWrite()
		b.reads(last)
		b.ends()
		a.ends()
		p.endsWell(syscall.SIGTERM)
	})
}

// readInPieces reads slowly: little at a time.
func readInPieces(c *client, want []byte) {
	c.t.Helper()
	for len(want) > 0 {
		n := min(2000, len(want))
		c.reads(want[:n])
		want = want[n:]
	}
}

func TestProxyPairsInOrder(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p, atA, atB := startProxy(t, engine)
		// A pair at a time, as connections made at once may be accepted in any order.
		for i, name := range []string{"first", "second"} {
			a, b := dial(t, "tcp", atA), dial(t, "tcp", atB)
			if i == 1 {
				a, b = b, a
			}
			a.send(name + " to b\n")
			b.gets(name + " to b")
			b.send(name + " to a\n")
			a.gets(name + " to a")
			if i == 0 {
				b.Close()
				a.ends()
			}
		}
		p.endsWell(syscall.SIGINT)
	})
}

func TestProxyGivesUpWaiting(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p, atA, atB := startProxy(t, engine, "-wait", testkit.Scale(300*time.Millisecond).String())
		alone := dial(t, "tcp", atA)
		alone.send("is anybody there?\n")
		alone.ends()
		a, b := dial(t, "tcp", atA), dial(t, "tcp", atB)
		data := bytes.Repeat([]byte("x"), 1000)
		a.send(string(data))
		b.reads(data)
		a.stays(testkit.Scale(500 * time.Millisecond)) // a pair is not given up
		p.endsWell(syscall.SIGTERM)
	})
}
