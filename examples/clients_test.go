package examples

import (
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman/websocket"
)

// The client comes back when the server does, and says again who it is.
func TestTCPClient(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		server := start(t, engine, "echo", "-listen", "text://"+anyPort)
		address := server.address()
		p := start(t, engine, "tcpclient", "-to", "text://"+address, "-every", "20ms", "-pause", "20ms")
		p.says("connected to " + address)
		p.says("received hello\n") // a line of the log may stand behind it
		p.says("received message ")
		server.endsWell(syscall.SIGTERM)
		p.says("disconnected\n")
		p.says("not connected: ")
		start(t, engine, "echo", "-listen", "text://"+address)
		p.Await("a second greeting", func(text string) bool { return strings.Count(text, "received hello\n") == 2 })
		p.endsWell(syscall.SIGTERM)
	})
}

func TestWSClient(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		server := start(t, engine, "echo", "-listen", "websocket://"+anyPort)
		p := prepare(t, engine, "wsclient", "-to", "ws://"+server.address()+"/", "-field", "X-A: 1")
		in, err := p.cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		p.run()
		io.WriteString(in, "before the connection, maybe\n")
		p.says("before the connection, maybe\n")
		io.WriteString(in, "hello\n")
		p.says("hello\n")
		in.Close()
		if status := p.Status(); status != 0 {
			t.Errorf("exit status %d", status)
		}
		p.says("closed\n")
	})
}

func TestFeed(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		source := start(t, engine, "echo", "-listen", "websocket://"+anyPort)
		upstream := source.address()
		p := start(t, engine, "feed", "-from", "ws://"+upstream+"/", "-subscribe", "price 1", "-listen", "websocket://"+anyPort, "-pause", "20ms")
		address := p.address()
		p.says("upstream connected")
		early := openSocket(t, address, "/")
		early.hears("price 1")
		late := openSocket(t, address, "/")
		late.hears("price 1") // the latest
		source.endsWell(syscall.SIGTERM)
		for _, peer := range []*socketPeer{early, late} {
			peer.hears(`{"feed":"lost"}`)
		}
		start(t, engine, "echo", "-listen", "websocket://"+upstream)
		for _, peer := range []*socketPeer{early, late} {
			peer.hears("price 1")
		}
		p.endsWell(syscall.SIGTERM)
		early.closes(websocket.CloseGoingAway)
	})
}

func TestAsyncTask(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "asynctask", "-front", "http://"+anyPort, "-tasks", "text://127.0.0.1:1", "-count", "0")
		if got := ask(t, "GET", "http://"+p.address()+"/primes?below=10", ""); got.StatusCode != 503 {
			t.Errorf("without task workers: %s", got.Status)
		}
		tasks := start(t, engine, "asynctask", "-front", "none", "-tasks", "text://"+anyPort, "-count", "1").address()
		front := "http://" + start(t, engine, "asynctask", "-front", "http://"+anyPort, "-tasks", "text://"+tasks, "-count", "0").address()
		for query, want := range map[string]string{
			"below=10":        `{"count":4}`,
			"below=2":         `{"count":0}`,
			"below=0":         `{"count":0}`,
			"below=1000000":   `{"count":78498}`,
			"below=-1":        `{"count":0,"error":"below has to be 0 to 50000000"}`,
			"below=500000000": `{"count":0,"error":"below has to be 0 to 50000000"}`,
		} {
			if got := ask(t, "GET", front+"/primes?"+query, ""); got.body != want {
				t.Errorf("%s: %s %q, want %q", query, got.Status, got.body, want)
			}
		}
		c := dial(t, "tcp", tasks)
		c.send(`{"job":"sums"}` + "\n")
		c.gets(`{"count":0,"error":"unknown job \"sums\""}`)
		p.endsWell(syscall.SIGTERM)
	})
}
