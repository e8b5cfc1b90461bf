package interop

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestFragmentsWithoutEnd(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		s := victim(t, portable)
		one := []string{strings.Repeat(frame(continues, "x"), 4096)}
		// 10 MB in fragments of a byte, as far as the server listens.
		got := s.socket(t, "").tell(append([]string{frame(text, "x")}, slices.Repeat(one, 10_000_000/4096)...))
		if want := []string{"close 1008", "end"}; !slices.Equal(got, want) {
			t.Errorf("fragments: %q, want %q", got, want)
		}
		// Empty ones never reach a size.
		one = []string{strings.Repeat(frame(continues, ""), 4096)}
		got = s.socket(t, "").tell(append([]string{frame(text, "")}, slices.Repeat(one, 100)...))
		if want := []string{"close 1008", "end"}; !slices.Equal(got, want) {
			t.Errorf("empty fragments: %q, want %q", got, want)
		}
		s.boundedMemory(t)
	})
}

func TestPingFlood(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		s := victim(t, portable)
		w := s.socket(t, "")
		// The client does not read its pongs while it sends 60 MB of pings.
		const n = 500_000
		burst := strings.Repeat(frame(fin|pings, strings.Repeat("p", 113)), 1000)
		for range n / 1000 {
			w.send(burst)
		}
		s.boundedMemory(t)
		w.send(closing(1000, ""))
		got := w.rest()
		if len(got) < 3 || got[len(got)-2] != "close 1000" || got[len(got)-1] != "end" {
			t.Errorf("the end is %q", got[max(0, len(got)-3):])
		}
		t.Logf("%d of %d pings were answered", len(got)-2, n)
	})
}

// TestFloodOfMessages is a client that sends much and reads nothing: the server drops what it
// cannot send, and goes on.
func TestFloodOfMessages(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		s := victim(t, portable)
		w := s.socket(t, "")
		const n = 60_000 // of 1000 bytes
		burst := strings.Repeat(frame(fin|octets, strings.Repeat("m", 1000)), 60)
		for range n / 60 {
			w.send(burst)
		}
		s.boundedMemory(t)
		w.send(closing(1000, ""))
		got := w.rest()
		if len(got) < 3 || got[len(got)-2] != "close 1000" || got[len(got)-1] != "end" {
			t.Errorf("the end is %q", got[max(0, len(got)-3):])
		}
		t.Logf("%d of %d messages were answered", len(got)-2, n)
	})
}

func TestCompressedBomb(t *testing.T) {
	bomb := string(gigabyte(t))
	engines(t, func(t *testing.T, portable bool) {
		s := victim(t, portable)
		for name, sent := range map[string]string{"one frame": frame(fin|compression|octets, bomb), "fragments": inFragments(compression|octets, bomb, 100)} {
			got := s.socket(t, "Sec-WebSocket-Extensions: permessage-deflate\r\n").tell([]string{sent})
			if want := []string{"close 1009", "end"}; !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
			s.boundedMemory(t)
		}
	})
}

// gigabyte is a GiB of zeros, compressed as a message: less than a MiB.
func gigabyte(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	z.Write(zeros)
	z.Flush()
	first := b.Len()
	z.Write(zeros)
	z.Flush()
	// Each further MiB is as the second.
	next := bytes.Clone(b.Bytes()[first:])
	for range 1022 {
		b.Write(next)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

func TestHalfHandshakes(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		s := victim(t, portable)
		var all sync.WaitGroup
		whole := upgrade + "\r\n"
		for i := range 500 {
			c := s.dial(t)
			io.WriteString(c, whole[:i%len(whole)])
			all.Go(func() {
				defer c.Close()
				if answer, err := io.ReadAll(c); err != nil || strings.Contains(string(answer), " 101 ") {
					t.Errorf("half a handshake is answered by %q, %v", answer, err)
				}
			})
		}
		all.Wait()
	})
}

// TestBadHandshakes asks for a WebSocket as nobody should.
func TestBadHandshakes(t *testing.T) {
	s := victim(t, false)
	whole := upgrade + "\r\n"
	for _, x := range []struct{ name, request, want string }{
		{"no upgrade", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "426"},
		{"POST", strings.Replace(whole, "GET", "POST", 1), "405"},
		{"HTTP/1.0", strings.Replace(whole, "HTTP/1.1", "HTTP/1.0", 1), "400"},
		{"version 8", strings.Replace(whole, "Version: 13", "Version: 8", 1), "426"},
		{"no key", strings.Replace(whole, "-Key", "-Kez", 1), "400"},
		{"short key", strings.Replace(whole, "dGhlIHNhbXBsZSBub25jZQ==", "dGhl", 1), "400"},
		{"no Connection", strings.Replace(whole, "Connection: Upgrade", "Connection: close", 1), "426"},
		{"other origin", upgrade + "Origin: http://evil.example\r\n\r\n", "403"},
		{"null origin", upgrade + "Origin: null\r\n\r\n", "403"},
		{"with a body", upgrade + "Content-Length: 3\r\n\r\nabc", "400"},
	} {
		answer, err := s.tell([]string{x.request})
		if got, _ := statuses(answer); err != nil || got != x.want {
			t.Errorf("%s: %s, %v, want %s", x.name, got, err, x.want)
		}
	}
}

// TestNoise sends random bytes to servers of each protocol and in each state.
func TestNoise(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		s := victim(t, portable)
		for range 100 {
			noise := make([]byte, 2000)
			rand.Read(noise)
			noise[1] |= 0x80 // masked, so that it goes further
			w := s.socket(t, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
			w.send(string(noise))
			w.Conn.(interface{ CloseWrite() error }).CloseWrite()
			got := w.rest()
			w.Close()
			if got[len(got)-1] != "end" {
				t.Errorf("%x: %q", noise[:16], got)
			}
		}
		var b [8]byte
		rand.Read(b[:])
		if got, err := s.tell([]string{fmt.Sprintf("%d\r\n\r\n", binary.LittleEndian.Uint64(b[:]))}); err != nil || !strings.HasPrefix(got, "HTTP/1.1 400 ") {
			t.Errorf("a number is answered by %q, %v", got, err)
		}
	})
}
