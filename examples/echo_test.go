package examples

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/websocket"
)

const anyPort = "127.0.0.1:0"

func frameOf(data string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(data)+4))) + data
}

func TestEchoOnEveryScheme(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		tests := []struct{ scheme, network, message string }{
			{"tcp", "tcp", "any bytes\x00\xff"},
			{"text", "tcp", "a line\n"},
			{"frame", "tcp", frameOf("a frame\n\x00")},
			{"udp", "udp", "a datagram\x00"},
			{"text+udp", "udp", "a line\n"},
			{"frame+udp", "udp", frameOf("a frame")},
			{"unix", "unix", "any bytes\x00\xff"},
			{"text+unix", "unix", "a line\n"},
			{"frame+unix", "unix", frameOf("")},
			{"text+tcp", "tcp", "\n"},
		}
		var args []string
		for _, test := range tests {
			address := anyPort
			if test.network == "unix" {
				address = testkit.SocketPath(t)
			}
			args = append(args, "-listen", test.scheme+"://"+address)
		}
		p := start(t, engine, "echo", args...)
		for i, address := range p.addresses(len(tests)) {
			t.Run(tests[i].scheme, func(t *testing.T) {
				c := dial(t, tests[i].network, address)
				for range 3 {
					c.send(tests[i].message)
					c.reads([]byte(tests[i].message))
				}
			})
		}
		p.endsWell(syscall.SIGTERM)
	})
}

func TestEchoLines(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		c := dial(t, "tcp", start(t, engine, "echo", "-listen", "text://"+anyPort, "-loops", "2").address())
		c.send("as telnet ends it\r\none write\ntwo lines\nhal")
		c.gets("as telnet ends it", "one write", "two lines")
		c.send("f\n")
		c.gets("half")
		c.send("last")
		c.Conn.Conn.(*net.TCPConn).CloseWrite()
		c.ends()
	})
}

// A message that takes many reads.
func TestEchoLargeMessage(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		for _, scheme := range []string{"text", "frame"} {
			t.Run(scheme, func(t *testing.T) {
				c := dial(t, "tcp", start(t, engine, "echo", "-listen", scheme+"://"+anyPort).address())
				message := strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB
				if scheme == "frame" {
					message = frameOf(message)
				} else {
					message += "\n"
				}
				c.send(message)
				c.reads([]byte(message))
			})
		}
	})
}

// A client that sends for a long time before it reads gets everything all the same: it
// is made to wait.
func TestEchoSlowReader(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		for _, scheme := range []string{"tcp", "text"} {
			t.Run(scheme, func(t *testing.T) {
				c := dial(t, "tcp", start(t, engine, "echo", "-listen", scheme+"://"+anyPort).address())
				data := bytes.Repeat([]byte(strings.Repeat("x", 1023)+"\n"), 32<<10) // 32 MiB
				written := writeAll(c, data)
				written.stallsOrEnds(t)
				c.reads(data)
				written.ends(t)
			})
		}
	})
}

func TestEchoTooLarge(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "echo", "-listen", "text://"+anyPort, "-listen", "frame://"+anyPort, "-max-package", "1024")
		at := p.addresses(2)
		c := dial(t, "tcp", at[0])
		c.send(strings.Repeat("x", 1023) + "\n")
		c.gets(strings.Repeat("x", 1023))
		c.send(strings.Repeat("x", 5000))
		c.ends()
		p.says("MaxPackageSize is 1024")

		c = dial(t, "tcp", at[1])
		c.send("\x7f\xff\xff\xff")
		c.ends()
		c = dial(t, "tcp", at[1])
		c.send("\x00\x00\x00\x00")
		c.ends()
		p.endsWell(syscall.SIGINT)
	})
}

func TestEchoTimeouts(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		t.Run("idle", func(t *testing.T) {
			t.Parallel()
			p := start(t, engine, "echo", "-listen", "text://"+anyPort, "-idle-timeout", testkit.Scale(400*time.Millisecond).String())
			c := dial(t, "tcp", p.address())
			c.send("hello\n")
			c.gets("hello")
			c.ends()
			p.says("idle timeout")
		})
		t.Run("handshake", func(t *testing.T) {
			t.Parallel()
			p := start(t, engine, "echo", "-listen", "text://"+anyPort, "-handshake-timeout", testkit.Scale(400*time.Millisecond).String())
			silent, spoke := dial(t, "tcp", p.address()), dial(t, "tcp", p.address())
			silent.send("no end of line")
			spoke.send("hello\n")
			spoke.gets("hello")
			silent.ends()
			p.says("handshake timeout")
			spoke.stays(testkit.Scale(500 * time.Millisecond))
		})
	})
}

func TestRefusedStarts(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		echo := func(t *testing.T, address string) *process {
			return start(t, engine, "echo", "-listen", address)
		}
		t.Run("unknown scheme", func(t *testing.T) {
			echo(t, "gopher://"+anyPort).refuses("gopher", "unknown scheme", "text")
		})
		t.Run("no scheme", func(t *testing.T) {
			echo(t, "127.0.0.1:2345").refuses("127.0.0.1:2345", "scheme")
		})
		t.Run("no port", func(t *testing.T) {
			echo(t, "text://127.0.0.1").refuses("127.0.0.1")
		})
		t.Run("no such port", func(t *testing.T) {
			echo(t, "text://127.0.0.1:70000").refuses("70000")
		})
		t.Run("not our address", func(t *testing.T) {
			echo(t, "text://192.0.2.1:0").refuses("192.0.2.1")
		})
		t.Run("port in use", func(t *testing.T) {
			ln, err := net.Listen("tcp", anyPort)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			echo(t, "text://"+ln.Addr().String()).refuses(ln.Addr().String(), "in use")
		})
		t.Run("UDP port in use", func(t *testing.T) {
			pc, err := net.ListenPacket("udp", anyPort)
			if err != nil {
				t.Fatal(err)
			}
			defer pc.Close()
			echo(t, "udp://"+pc.LocalAddr().String()).refuses(pc.LocalAddr().String(), "in use")
		})
		t.Run("no such folder", func(t *testing.T) {
			echo(t, "unix://"+filepath.Join(testkit.SocketPath(t), "socket")).refuses("socket")
		})
		t.Run("file in the way", func(t *testing.T) {
			path := testkit.SocketPath(t)
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			echo(t, "unix://"+path).refuses(path)
			if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
				t.Errorf("the file holds %q, %v now", b, err)
			}
		})
		t.Run("bad limit", func(t *testing.T) {
			start(t, engine, "echo", "-listen", "text://"+anyPort, "-max-package", "-1").refuses("MaxPackageSize")
		})
	})
}

func TestUnixSocketFile(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		path := testkit.SocketPath(t)
		stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		stale.SetUnlinkOnClose(false)
		stale.Close()

		p := start(t, engine, "echo", "-listen", "text+unix://"+path)
		c := dial(t, "unix", p.address())
		c.send("hello\n")
		c.gets("hello")
		start(t, engine, "echo", "-listen", "unix://"+path).refuses(path, "in use")
		c.send("still here\n")
		c.gets("still here")
		p.endsWell(syscall.SIGTERM)
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("the socket file after the stop: %v, want %v", err, fs.ErrNotExist)
		}
	})
}

// What was sent before the stop arrives, however slow the client begins to read.
func TestStopDelivers(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(sig.String(), func(t *testing.T) {
				p := start(t, engine, "echo", "-listen", "frame://"+anyPort)
				c := dial(t, "tcp", p.address())
				idle := dial(t, "tcp", p.address())
				idle.send(frameOf("hello"))
				idle.reads([]byte(frameOf("hello")))
				body := make([]byte, 9<<20)
				rand.NewChaCha8([32]byte{}).Read(body)
				message := []byte(frameOf(string(body)))
				written := writeAll(c, message)
				c.reads(message[:4]) // the server has accepted the answer
				written.ends(t)
				p.Signal(sig)
				p.says("stopping")
				idle.ends()
				c.reads(message[4:])
				c.ends()
				if status := p.Status(); status != 0 {
					t.Errorf("exit status %d, want 0", status)
				}
			})
		}
	})
}

func TestEchoWebSocketAndHTTP(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "echo", "-listen", "websocket://"+anyPort, "-listen", "http://"+anyPort, "-listen", "text://"+anyPort, "-max-package", "200000")
		at := p.addresses(3)
		s := openSocket(t, at[0], "/")
		if !s.codec.Deflate().Enabled {
			t.Error("compression was offered and not taken")
		}
		for _, message := range []string{"", "hello", strings.Repeat("very similar ", 10000)} {
			s.says(message)
			s.hears(message)
			s.send(websocket.Binary, message+"\x00\xff")
			s.gets(websocket.Binary, message+"\x00\xff")
		}
		s.says(strings.Repeat("x", 200001))
		s.closes(websocket.CloseTooBig)

		got := ask(t, "PUT", "http://"+at[1]+"/any", "hello", "Content-Type: text/x-test")
		if got.body != "hello" || got.Header.Get("Content-Type") != "text/x-test" {
			t.Errorf("%q of type %q", got.body, got.Header.Get("Content-Type"))
		}
		c := dial(t, "tcp", at[2])
		c.send("hello\n")
		c.gets("hello")
		p.endsWell(syscall.SIGTERM)
	})
}
