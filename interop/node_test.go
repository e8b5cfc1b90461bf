package interop

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// node runs a scenario of the WebSocket client in testdata and returns what it has seen.
func node(t *testing.T, scenario string, args ...string) string {
	t.Helper()
	needNode(t)
	return strings.TrimSpace(run(t, "", "node", append([]string{"testdata/wsclient.js", scenario}, args...)...))
}

func needNode(t *testing.T) {
	t.Helper()
	if _, _, err := try(t, "", "node", "-e", "require('ws')"); err != nil {
		missing(t, "the module ws of Node.js is not there: run scripts/interop.sh")
	}
}

// echoSocket configures a websocket:// worker that answers what it gets, and does what
// some messages ask for.
func echoSocket(w *workerman.Worker) {
	w.MaxPackageSize = 2 << 20
	w.OnMessage = func(c *workerman.Conn, data []byte) {
		text := string(data)
		switch {
		case strings.HasPrefix(text, "close "):
			code, _ := strconv.Atoi(text[len("close "):])
			c.CloseWithCode(code, "as you wish")
		case strings.HasPrefix(text, "to everybody"):
			c.Worker().Broadcast(data)
		case text == "ping me":
			c.Ping([]byte("are you there?"))
		default:
			answer(c, data)
		}
	}
	w.OnPong = func(c *workerman.Conn, data []byte) { c.SendText(append([]byte("pong: "), data...)) }
}

// answer sends a message back as the kind that it came as.
func answer(c *workerman.Conn, data []byte) {
	if c.MessageKind() == websocket.Text {
		c.SendText(data)
		return
	}
	c.SendBinary(data)
}

// crowded is what the scenario crowd prints if all of its 500 clients got the message.
var crowded = fmt.Sprintf(`{"size":500,"same":500,"bytes":%d}`, len("to everybody: ")+100*len("Grüße, 世界! "))

func TestNodeClient(t *testing.T) {
	needNode(t)
	plain := func(w *workerman.Worker) {}
	compressed := func(w *workerman.Worker) { w.WebSocket.Compression.Enabled = true }
	takeover := func(w *workerman.Worker) {
		compressed(w)
		w.WebSocket.Compression.ContextTakeover = true
		w.WebSocket.Compression.Threshold = 1
	}
	const none = "; server_no_context_takeover; client_no_context_takeover"
	const closes = `[[1000,""],[1001,""],[1003,""],[1008,""],[1011,""],[3000,""],[4999,""],[1005,""]]`
	for _, x := range []struct {
		name, scenario string
		configure      func(w *workerman.Worker)
		want           string
	}{
		{"echo", "echo", plain, `{"agreed":"","close":[1000,""]}`},
		{"fragments", "fragments", plain, `{"pong":"between","data":"first second third","binary":false}`},
		{"deflate refused", "deflate", plain, `["","","","","","",""]`},
		{"deflate", "deflate", compressed, deflated(none, none, none, none, none, none+"; server_max_window_bits=10", none+"; client_max_window_bits=10")},
		{"deflate with context takeover", "deflate", takeover, deflated("", "", "; client_no_context_takeover", "; server_no_context_takeover", none,
			"; server_max_window_bits=10", "; client_max_window_bits=10")},
		{"ping and pong", "ping", plain, `{"pong":"hello","pings":["are you there?"],"ack":"pong: are you there?"}`},
		{"closes by the client", "closes", plain, closes},
		{"closes by the server", "closed", func(w *workerman.Worker) { w.WebSocket.MaxMessageSize = 100_000 },
			`[[1000,"as you wish"],[1008,"as you wish"],[4001,"as you wish"],[1009,"message of more than 100000 bytes"]]`},
		{"subprotocol", "subprotocol", func(w *workerman.Worker) { w.WebSocket.Subprotocols = []string{"chat.v1", "chat.v2"} },
			`{"protocol":"chat.v2","refused":"Server sent no subprotocol"}`},
		{"refused", "refused", func(w *workerman.Worker) {
			w.OnUpgrade = func(c *workerman.Conn, r *web.Request) *web.Response { return web.Status(403) }
		}, `403`},
		{"crowd", "crowd", compressed, crowded},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			engines(t, func(t *testing.T, portable bool) {
				s := serve(t, portable, "websocket", func(w *workerman.Worker) {
					echoSocket(w)
					x.configure(w)
				})
				got := node(t, x.scenario, "ws://"+s.address()+"/")
				if got != x.want {
					t.Errorf("%s\nwant\n%s", got, x.want)
				}
			})
		})
	}
}

// deflated is what the scenario deflate prints if the server agreed on these parameters.
func deflated(parameters ...string) string {
	var all []string
	for _, p := range parameters {
		all = append(all, strconv.Quote("permessage-deflate"+p))
	}
	return "[" + strings.Join(all, ",") + "]"
}
