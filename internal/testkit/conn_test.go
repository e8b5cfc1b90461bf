package testkit

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A conversation may take longer than Patience, a read may not.
func TestConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer b.Close()
		c := &Conn{Conn: a}
		defer c.Close()
		for range 3 {
			go func() {
				time.Sleep(Patience * 2 / 3)
				b.Write([]byte("x"))
				io.ReadFull(b, make([]byte, 1))
			}()
			if _, err := c.Read(make([]byte, 1)); err != nil {
				t.Fatalf("Read: %v", err)
			}
			if _, err := c.Write([]byte("y")); err != nil {
				t.Fatalf("Write: %v", err)
			}
		}
		for _, own := range []time.Duration{0, time.Second, 0} {
			want := Patience
			c.SetReadDeadline(time.Time{})
			if own > 0 {
				want = own
				c.SetReadDeadline(time.Now().Add(own))
			}
			began := time.Now()
			_, err := c.Read(make([]byte, 1))
			if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took != want {
				t.Errorf("Read ends after %v with %v, want %v and %v", took, err, want, os.ErrDeadlineExceeded)
			}
			began = time.Now()
			_, err = c.Write([]byte("y"))
			if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took != Patience {
				t.Errorf("Write ends after %v with %v, want %v and %v", took, err, Patience, os.ErrDeadlineExceeded)
			}
		}
	})
}
