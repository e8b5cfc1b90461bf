package interop

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/httpclient"
	"github.com/workerman-go/workerman/internal/testkit"
)

// clients runs a master whose clients talk to programs of others, until the end of the test.
func clients(t *testing.T, portable bool) (*workerman.Master, *workerman.Worker) {
	t.Helper()
	m := &workerman.Master{Portable: portable, Logger: slog.New(slog.DiscardHandler)}
	w := m.NewWorker("")
	started, done := make(chan struct{}), make(chan error, 1)
	w.OnWorkerStart = func(*workerman.Worker) error {
		close(started)
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-started
	return m, w
}

// exchange sends a message and returns what comes, as many bytes as wanted.
func exchange(t *testing.T, cl *workerman.Client, message []byte, want int) string {
	t.Helper()
	var got []byte
	all, failed := make(chan string, 1), make(chan error, 1)
	cl.OnMessage = func(_ *workerman.Conn, data []byte) {
		if got = append(got, data...); len(got) >= want {
			select {
			case all <- string(got):
			default:
			}
		}
	}
	cl.OnError = func(_ *workerman.Conn, err error) { failed <- err }
	cl.OnClose = func(c *workerman.Conn) { failed <- fmt.Errorf("closed: %v, after %q", c.Err(), got) }
	cl.Send(message)
	if err := cl.Connect(); err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	select {
	case text := <-all:
		return text
	case err := <-failed:
		t.Fatal(err)
	case <-after(t):
		t.Fatalf("no answer, but %d bytes", len(got))
	}
	return ""
}

// after is closed when patience is over.
func after(t *testing.T) <-chan struct{} {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx.Done()
}

// example builds and runs a program of the examples and returns its address.
func example(t *testing.T, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(testkit.Build(t, "../examples/"+name), name)
	out := startCommand(t, exec.Command(path, args...))
	var found []string
	eventually(t, name+" runs", func() bool {
		found = regexp.MustCompile(`worker started (?:worker=\S+ )?listen=\w+://(\S+) .*\n`).FindStringSubmatch(out.Output.String())
		return found != nil
	})
	return found[1]
}

func TestExamplesAreProxiesForCurl(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 1<<16)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "PUT" {
			b, _ := io.ReadAll(r.Body) // before the answer begins, as most servers do
			w.Write(b)
			return
		}
		io.WriteString(w, large)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	upload := file(t, "upload", large)
	socks := example(t, "socks5", "-listen", "tcp://127.0.0.1:0", "-user", "ann:apple")
	http := example(t, "httpproxy", "-listen", "http://127.0.0.1:0", "-user", "ann:apple")
	for _, proxy := range []string{"socks5://ann:apple@" + socks, "socks5h://ann:apple@" + socks, "http://ann:apple@" + http} {
		for _, url := range []string{plain.URL, secure.URL} {
			url = strings.Replace(url, "127.0.0.1", "localhost", 1)
			for _, more := range [][]string{{}, {"-T", upload}, {"-T", upload, "-H", "Transfer-Encoding: chunked"}} {
				if got := curl(t, "", append(more, "-k", "-x", proxy, "--noproxy", "", url)...); got != large {
					t.Errorf("%s, %s %q: %d bytes", proxy, url, more, len(got))
				}
			}
		}
	}
	for _, proxy := range []string{"socks5h://ann:pear@" + socks, "http://ann:pear@" + http} {
		if out, _, err := try(t, "", "curl", "-sS", "-f", "-x", proxy, "--noproxy", "", plain.URL); err == nil {
			t.Errorf("%s lets a stranger in: %d bytes", proxy, len(out))
		}
	}
}

func TestExampleIsAProxyForNcat(t *testing.T) {
	need(t, "ncat")
	s := serve(t, false, "text", func(w *workerman.Worker) {
		w.OnMessage = func(c *workerman.Conn, data []byte) { c.CloseWith(data) }
	})
	host, port, _ := strings.Cut(s.address(), ":")
	for kind, address := range map[string]string{
		"socks5": example(t, "socks5", "-listen", "tcp://127.0.0.1:0", "-user", "ann:apple"),
		"http":   example(t, "httpproxy", "-listen", "http://127.0.0.1:0", "-user", "ann:apple"),
	} {
		got := run(t, "hello\n", "ncat", "--proxy", address, "--proxy-type", kind, "--proxy-auth", "ann:apple", "--no-shutdown", host, port)
		if got != "hello\n" {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

// The proxies of others lead our clients.
func TestClientThroughProxies(t *testing.T) {
	s := serve(t, false, "text", func(w *workerman.Worker) {
		w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(data) }
	})
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page") }))
	defer site.Close()
	for _, p := range []struct {
		program, scheme string
		args            func(address string) []string
	}{
		{"microsocks", "socks5://ann:apple@", func(a string) []string {
			host, port, _ := strings.Cut(a, ":")
			return []string{"-i", host, "-p", port, "-u", "ann", "-P", "apple"}
		}},
		{"tinyproxy", "http://ann:apple@", func(a string) []string {
			host, port, _ := strings.Cut(a, ":")
			return []string{"-d", "-c", file(t, "tinyproxy.conf", fmt.Sprintf("Listen %s\nPort %s\nBasicAuth ann apple\nMaxClients 10\nTimeout 60\n", host, port))}
		}},
	} {
		t.Run(p.program, func(t *testing.T) {
			need(t, p.program)
			address := testkit.FreeAddress(t)
			start(t, p.program, p.args(address)...)
			listens(t, address)
			engines(t, func(t *testing.T, portable bool) {
				m, w := clients(t, portable)
				cl := m.NewClient("text://" + s.address())
				cl.Proxy = p.scheme + address
				if got := exchange(t, cl, []byte("hello"), 5); got != "hello" {
					t.Errorf("%q", got)
				}
				api := httpclient.Client{Proxy: p.scheme + address}
				defer api.CloseIdle()
				answers := make(chan string, 1)
				api.Get(w, site.URL, func(r *httpclient.Response, err error) {
					if err != nil {
						answers <- err.Error()
					} else {
						answers <- string(r.Body)
					}
				})
				if got := testkit.Receive(t, answers, "the answer"); got != "page" {
					t.Errorf("httpclient: %s", got)
				}
			})
		})
	}
}

// MQTT 3.1.1 by hand: CONNECT is answered by CONNACK, PINGREQ by PINGRESP.
func TestClientOfMosquitto(t *testing.T) {
	need(t, "mosquitto")
	address := testkit.FreeAddress(t)
	start(t, "mosquitto", "-c", file(t, "mosquitto.conf", "listener "+port(t, address)+" 127.0.0.1\nallow_anonymous true\npersistence false\n"))
	listens(t, address)
	engines(t, func(t *testing.T, portable bool) {
		m, _ := clients(t, portable)
		const connect, ping = "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test", "\xc0\x00"
		if got := exchange(t, m.NewClient("tcp://"+address), []byte(connect+ping), 6); got != "\x20\x02\x00\x00\xd0\x00" {
			t.Errorf("%q", got)
		}
	})
}

func TestClientOfSocat(t *testing.T) {
	need(t, "socat")
	path := filepath.Join(t.TempDir(), "s")
	address, unix := testkit.FreeAddress(t), "unix://"+path
	start(t, "socat", "tcp-listen:"+port(t, address)+",bind=127.0.0.1,fork,reuseaddr", "exec:cat")
	start(t, "socat", "unix-listen:"+path+",fork", "exec:cat")
	listens(t, address)
	eventually(t, "the socket is there", func() bool { return exists(path) })
	large := strings.Repeat("0123456789abcdef", 1<<14)
	for _, to := range []string{"tcp://" + address, unix} {
		engines(t, func(t *testing.T, portable bool) {
			m, _ := clients(t, portable)
			if got := exchange(t, m.NewClient(to), []byte(large), len(large)); got != large {
				t.Errorf("%s: %d bytes came back, %d went", to, len(got), len(large))
			}
		})
	}
}

// The WebSocket server of Node.js, directly and through nginx.
func TestClientOfNodeAndNginx(t *testing.T) {
	need(t, "nginx")
	address := nodeServer(t)
	front := testkit.FreeAddress(t)
	nginx(t, fmt.Sprintf("server {\nlisten %s;\nlocation / {\nproxy_pass http://%s;\nproxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection upgrade;\n}\n}\n", front, address), front)
	large := strings.Repeat("0123456789abcdef", 1<<14)
	for _, at := range []string{address, front} {
		for _, compress := range []bool{false, true} {
			engines(t, func(t *testing.T, portable bool) {
				m, _ := clients(t, portable)
				cl := m.NewClient("ws://" + at + "/")
				cl.WebSocket.Compression.Enabled = compress
				if got := exchange(t, cl, []byte(large), len(large)); got != large {
					t.Errorf("%d bytes came back", len(got))
				}
			})
		}
	}
}

// nodeServer runs an echo server of the module ws.
func nodeServer(t *testing.T) string {
	t.Helper()
	const script = `
const { WebSocketServer } = require("ws");
const s = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: { threshold: 0 } }, () => console.log("listening " + s.address().port));
s.on("connection", c => c.on("message", (data, binary) => c.send(data, { binary })));
`
	if _, _, err := try(t, "", "node", "-e", `require("ws")`); err != nil {
		missing(t, "the module ws of Node.js is not installed")
	}
	out := start(t, "node", "-e", script)
	var found []string
	eventually(t, "node listens", func() bool {
		found = regexp.MustCompile(`listening (\d+)\n`).FindStringSubmatch(out.Output.String())
		return found != nil
	})
	return "127.0.0.1:" + found[1]
}
