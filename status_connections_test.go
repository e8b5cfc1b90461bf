package workerman

import (
	"fmt"
	"io"
	"net"
	"reflect"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
)

// BenchmarkConnections lists 100 000 connections: copies of an open one, each in memory of its
// own, on a worker that knows its address and on one that has to ask for it.
//
//	go test -run xxx -bench Connections .
func BenchmarkConnections(b *testing.B) {
	for _, host := range []string{"127.0.0.1", "0.0.0.0"} {
		b.Run(host, func(b *testing.B) {
			m := &Master{Logger: discardLogger()}
			w := m.NewWorker("text://" + host + ":0")
			conns := make(chan *Conn, 1)
			w.OnConnect = func(c *Conn) { conns <- c }
			addr := make(chan net.Addr, 1)
			w.OnWorkerStart = func(w *Worker) error {
				addr <- w.Addr()
				return nil
			}
			done := make(chan error, 1)
			go func() { done <- m.Run(b.Context()) }()
			client, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", (<-addr).(*net.TCPAddr).Port))
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			c, s := <-conns, w.runningServer()
			s.mu.Lock()
			for i := range 100_000 {
				twin := new(Conn)
				reflect.ValueOf(twin).Elem().Set(reflect.ValueOf(c).Elem())
				twin.id, twin.remote.port = uint64(2+i), uint16(i)
				s.conns[twin.id] = twin
			}
			s.mu.Unlock()
			b.ReportAllocs()
			for b.Loop() {
				if err := m.writeConnections(io.Discard, control.Filter{}); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			s.mu.Lock()
			clear(s.conns)
			s.conns[c.id] = c
			s.mu.Unlock()
			m.StopAll()
			if err := <-done; err != nil {
				b.Error(err)
			}
		})
	}
}
