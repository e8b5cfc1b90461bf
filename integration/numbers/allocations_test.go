//go:build linux

package numbers

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httputil"
	"runtime"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/frame"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/internal/testkit/workertest"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// message64 is 64 bytes of payload in a scheme's framing.
func message64(t *testing.T, scheme string) []byte {
	data := bytes.Repeat([]byte("x"), 64)
	switch scheme {
	case "text":
		return append(data, '\n')
	case "frame":
		m, err := frame.Append(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	return data
}

func TestNoAllocationsPerMessage(t *testing.T) {
	if testkit.Race {
		t.Skip("the race detector allocates")
	}
	const messages = 50_000
	for _, scheme := range []string{"tcp", "text", "frame", "http", "websocket"} {
		for _, depth := range []int{1, 16} {
			t.Run(fmt.Sprintf("%s/depth %d", scheme, depth), func(t *testing.T) {
				s, w := serve(t, kind{Network: "tcp"}, scheme, func(w *workerman.Worker) {
					echo(w)
					hello := web.Text("Hello, World!")
					w.OnRequest = func(c *workerman.Conn, r *web.Request) { c.Respond(hello) }
				})
				s.Master.PoisonLent = false
				c, message, size := dial(t, w), message64(t, scheme), 64
				switch scheme {
				case "http":
					message = []byte(get("/plaintext"))
					c.Write(message)
					answer, _ := workertest.NewReader(t, c).Answer("GET")
					head, _ := httputil.DumpResponse(answer, false)
					size = len(head) + len("Hello, World!")
				case "websocket":
					ws := workertest.NewWebSocket(t, c)
					if err := ws.ShakeHands("/", nil); err != nil {
						t.Fatal(err)
					}
					message, _ = ws.Codec.AppendMessage(nil, websocket.Text, message)
					size = 2 + 64
				case "text", "frame":
					size = len(message)
				}
				burst := bytes.Repeat(message, depth)
				answer := make([]byte, depth*size)
				exchange := func(n int) {
					for range n / depth {
						c.Write(burst)
						if _, err := io.ReadFull(c, answer); err != nil {
							t.Fatal(err)
						}
					}
				}
				exchange(messages / 10)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				exchange(messages)
				runtime.ReadMemStats(&after)
				per := float64(after.Mallocs-before.Mallocs) / messages
				t.Logf("%.4f allocations per message", per)
				if per > 0.01 { // the runtime's own now and then
					t.Errorf("%.4f allocations per message", per)
				}
			})
		}
	}
}
