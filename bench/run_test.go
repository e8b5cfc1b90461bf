package main

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the runner start the test program as its servers and clients.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"server", "client", "hold"}, os.Args[1]) {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Every kind of row runs from end to end, with a server in C where there is one,
// this framework and another engine.
func TestRuns(t *testing.T) {
	o := options{seconds: 0.02, engines: allEngines}
	r, err := newRunner(t.Context(), o, t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	r.warmup = 0
	for _, c := range []struct {
		row     row
		engines string
	}{
		{row{"tcp", load{"tcp", echoTask, 64, false}, 3, 2}, "c workerman"},
		{row{"udp", load{"udp", echoTask, 64, false}, 3, 2}, "c workerman"},
		{row{"proxy", load{"proxy", echoTask, 32 << 10, false}, 3, 8}, "workerman net net-copy nginx haproxy haproxy-splice"},
		{row{"http", load{"http", pageTask, len(page), false}, 3, 2}, "c workerman workerman-handler nginx"},
		{row{"post", load{"http", echoTask, 1 << 10, false}, 3, 1}, "c workerman nbio"},
		{row{"https", load{"https", pageTask, len(page), false}, 3, 1}, "workerman nbio"},
		{row{"ws", load{"ws", echoTask, 16 << 10, false}, 3, 2}, "c workerman gws"},
		{row{"deflate", load{"ws", echoTask, 1 << 10, true}, 3, 1}, "workerman gobwas"},
		{row{"bcast", load{"ws", broadcastTask, 128, false}, 5, 1}, "c workerman gws"},
		{row{"bcast-deflate", load{"ws", broadcastTask, 1 << 10, true}, 5, 1}, "workerman coder"},
		{row{"wss", load{"wss", echoTask, 64, false}, 3, 1}, "workerman gorilla"},
	} {
		t.Run(c.row.Name, func(t *testing.T) {
			for _, engine := range c.row.load.engines(strings.Fields(c.engines)) {
				if !slices.Contains(r.engines, engine) {
					continue
				}
				s := sample{Engine: engine}
				if err := r.runOnce(t.Context(), c.row, &s); err != nil {
					t.Errorf("%s: %v", engine, err)
				} else if s.CPU <= 0 || s.Wall <= 0 {
					t.Errorf("%s: %+v", engine, s)
				}
			}
		})
	}
}

// A server that damages, swallows or repeats a byte after a while is found out.
func TestRunFindsALiar(t *testing.T) {
	const size, after = 64, 1000
	for _, c := range []struct {
		name string
		lie  func([]byte) []byte
		want string // of the error; nothing if there is no lie
	}{
		{"none", func(b []byte) []byte { return b }, ""},
		{"damage", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, "wrong"},
		{"shift", func(b []byte) []byte { return append(b[1:], 'x') }, "wrong"},
		{"repeat", func(b []byte) []byte { return append(b, b...) }, "too many"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ln, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			go func() {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				buf := make([]byte, 4<<10)
				for total := 0; ; {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					out := buf[:n]
					if total += n; total > after*size {
						out = c.lie(out)
					}
					if _, err := conn.Write(out); err != nil {
						return
					}
				}
			}()
			result, err := runBursts(clientConfig{
				load: load{"tcp", echoTask, size, false}, addr: ln.Addr().(*net.TCPAddr).AddrPort(),
				pid: os.Getpid(), conns: 1, depth: 1, measure: untilFound(c.want),
			})
			switch {
			case c.want == "" && (err != nil || result.Messages == 0):
				t.Errorf("an honest server: %d messages, %v", result.Messages, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%d messages, %v; want an error with %q", result.Messages, err, c.want)
			}
		})
	}
}

// untilFound is long where the run has to end by an error.
func untilFound(want string) time.Duration {
	if want == "" {
		return 50 * time.Millisecond
	}
	return time.Minute
}

// What the flags say comes out of them again.
func TestLoadArgs(t *testing.T) {
	for _, w := range rows {
		cfg, err := parseClient("client", append(w.args(), "-addr", "127.0.0.1:1"))
		if err != nil || cfg.load != w.load || cfg.addr != netip.MustParseAddrPort("127.0.0.1:1") {
			t.Errorf("%s: %+v, %v", w.Name, cfg, err)
		}
	}
}

// Every engine of a row has a server, and every row another engine to compare with.
func TestRowsHaveEngines(t *testing.T) {
	names := map[string]bool{}
	for _, w := range rows {
		engines := w.engines(allEngines)
		if len(engines) < 2 || names[w.Name] {
			t.Errorf("%s: engines %v, name known: %v", w.Name, engines, names[w.Name])
		}
		names[w.Name] = true
		if !slices.Contains(engines, w.peer()) {
			t.Errorf("%s: %s is not among %v", w.Name, w.peer(), engines)
		}
		for _, e := range engines {
			if isGo(e) && goServers[w.Network][e] == nil {
				t.Errorf("%s: no server of %s", w.Name, e)
			}
		}
	}
}
