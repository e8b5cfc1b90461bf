package interop

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/lxzan/gws"
	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// mirror is a gws handler that answers a message with itself.
type mirror struct{ gws.BuiltinEventHandler }

func (mirror) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	c.WriteMessage(m.Opcode, m.Bytes())
}

// TestOtherServersOverHijack runs the servers of other packages on a worker with Handle.
func TestOtherServersOverHijack(t *testing.T) {
	upgrader := gws.NewUpgrader(mirror{}, nil)
	mux := http.NewServeMux()
	mux.HandleFunc("/coder", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			kind, data, err := c.Read(context.Background())
			if err != nil {
				return
			}
			c.Write(context.Background(), kind, data)
		}
	})
	mux.HandleFunc("/gobwas", func(w http.ResponseWriter, r *http.Request) {
		c, _, _, err := gobwas.UpgradeHTTP(r, w)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for {
			data, op, err := wsutil.ReadClientData(c)
			if err != nil {
				return
			}
			wsutil.WriteServerMessage(c, op, data)
		}
	})
	mux.HandleFunc("/gws", func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		c.ReadLoop()
	})
	m := &workerman.Master{Logger: slog.New(slog.DiscardHandler)}
	worker := m.NewWorker("http://127.0.0.1:0")
	worker.Handle(mux)
	bound := make(chan net.Addr, 1)
	worker.OnWorkerStart = func(w *workerman.Worker) error {
		bound <- w.Addr()
		return nil
	}
	stopped := make(chan error, 1)
	go func() { stopped <- m.Run(context.Background()) }()
	defer func() {
		m.StopAll()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	}()
	var addr net.Addr
	select {
	case addr = <-bound:
	case err := <-stopped:
		t.Fatal(err)
	}
	for _, name := range []string{"coder", "gobwas", "gws"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
			defer cancel()
			c, _, err := websocket.Dial(ctx, "ws://"+addr.String()+"/"+name, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			c.SetReadLimit(-1)
			for _, data := range messages() {
				if err := c.Write(ctx, websocket.MessageBinary, data); err != nil {
					t.Fatal(err)
				}
				_, r, err := c.Reader(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
					t.Fatalf("%d of %d bytes, %v", len(got), len(data), err)
				}
			}
			c.Close(websocket.StatusNormalClosure, "")
		})
	}
}
