package loop

import (
	"io"
	"testing"
)

// BenchmarkTurn is a turn with one posted function and a look that finds nothing: what a loop
// does besides its work.
func BenchmarkTurn(b *testing.B) {
	l, err := New(Native)
	if err != nil {
		b.Fatal(err)
	}
	defer l.engine.close()
	b.ReportAllocs()
	for b.Loop() {
		l.tasks.push(func() {})
		n, err := l.wait()
		if err != nil {
			b.Fatal(err)
		}
		l.turn(n)
	}
}

// BenchmarkEcho is a message of 64 bytes to a loop and back.
func BenchmarkEcho(b *testing.B) {
	s := serve(b, Native, "tcp", nil)
	c, _ := s.connect()
	out, in := make([]byte, 64), make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		c.write(out)
		if _, err := io.ReadFull(c, in); err != nil {
			b.Fatal(err)
		}
	}
}
