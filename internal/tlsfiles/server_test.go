package tlsfiles

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// testServer is a server with a clock and a log of the test.
type testServer struct {
	*Server
	now atomic.Int64
	log bytes.Buffer
}

func newTestServer(t *testing.T, settings Settings) *testServer {
	t.Helper()
	s := new(testServer)
	s.now.Store(time.Now().UnixNano())
	settings.Now = func() time.Time { return time.Unix(0, s.now.Load()) }
	settings.Log = slog.New(slog.NewTextHandler(&s.log, nil))
	settings.TicketSecret = bytes.Repeat([]byte("s"), 32)
	var err error
	if s.Server, err = NewServer(settings); err != nil {
		t.Fatal(err)
	}
	return s
}

// shown is the certificate that a client gets.
func (s *testServer) shown(t *testing.T) []byte {
	t.Helper()
	config, err := s.Config().GetConfigForClient(new(tls.ClientHelloInfo))
	if err != nil {
		t.Fatal(err)
	}
	return config.Certificates[0].Certificate[0]
}

func TestServerRenews(t *testing.T) {
	pair, next := validPair(t, "a.test"), validPair(t, "b.test")
	s := newTestServer(t, Settings{Pairs: []Pair{pair}})
	old := s.shown(t)
	replace := func(file, by string) {
		t.Helper()
		if err := os.Rename(by, file); err != nil {
			t.Fatal(err)
		}
	}
	replace(pair.CertFile, next.CertFile)
	s.now.Add(int64(LookInterval))
	for range 3 { // half of a pair is told once
		if !bytes.Equal(s.shown(t), old) {
			t.Error("a certificate without its key is in use")
		}
		s.now.Add(int64(LookInterval))
	}
	if n := strings.Count(s.log.String(), "the old ones stay in use"); n != 1 {
		t.Errorf("%d lines about the failure, want 1:\n%s", n, &s.log)
	}
	replace(pair.KeyFile, next.KeyFile)
	s.now.Add(int64(LookInterval) - 1)
	s.shown(t)
	s.now.Add(int64(LookInterval))
	if bytes.Equal(s.shown(t), old) {
		t.Error("the old certificate is in use, want the new one")
	}
	if n := strings.Count(s.log.String(), "TLS files renewed"); n != 1 {
		t.Errorf("%d lines about the renewal, want 1:\n%s", n, &s.log)
	}
}

func TestServerMistakes(t *testing.T) {
	pair := validPair(t, "a.test")
	now := time.Now()
	expired := newPair(t, "a.test", now.Add(-2*time.Hour), now.Add(-time.Hour))
	early := newPair(t, "a.test", now.Add(time.Hour), now.Add(2*time.Hour))
	secret := bytes.Repeat([]byte("s"), 16)
	for _, c := range []struct {
		settings Settings
		want     string
	}{
		{Settings{TicketSecret: secret}, "TLS without a certificate"},
		{Settings{Pairs: []Pair{{KeyFile: pair.KeyFile}}, TicketSecret: secret}, "no CertFile beside it"},
		{Settings{Pairs: []Pair{expired}, TicketSecret: secret}, "has expired on"},
		{Settings{Pairs: []Pair{early}, TicketSecret: secret}, "is not valid before"},
		{Settings{Pairs: []Pair{pair}, ClientCAFile: pair.KeyFile, TicketSecret: secret}, "no certificate in PEM in " + pair.KeyFile},
		{Settings{Pairs: []Pair{pair}, TicketSecret: secret[1:]}, "TicketSecret has 15 bytes"},
	} {
		if _, err := NewServer(c.settings); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
}

// Failures are logged, but no more than a few in a second.
func TestServerLogsFailures(t *testing.T) {
	s := newTestServer(t, Settings{Pairs: []Pair{validPair(t, "a.test")}})
	for range LinesPerSecond + 3 {
		s.LogFailure("192.0.2.1:5", io.EOF)
	}
	s.now.Add(int64(time.Second))
	s.LogFailure("192.0.2.1:6", io.EOF)
	if n := strings.Count(s.log.String(), "TLS handshake failed"); n != LinesPerSecond+1 {
		t.Errorf("%d lines, want %d:\n%s", n, LinesPerSecond+1, &s.log)
	}
	if want := `peer=192.0.2.1:6 reason=EOF not_logged=3`; !strings.Contains(s.log.String(), want) {
		t.Errorf("no line with %q:\n%s", want, &s.log)
	}
}

func TestExplain(t *testing.T) {
	conn, other := net.Pipe()
	defer other.Close()
	defer conn.Close()
	header := func(text string) error {
		err := tls.RecordHeaderError{Conn: conn}
		copy(err.RecordHeader[:], text)
		return fmt.Errorf("handshake: %w", err)
	}
	own := errors.New("of its own kind")
	for _, c := range []struct {
		err   error
		want  string
		plain bool
	}{
		{header("GET / HTTP/1.1"), "client sent plain HTTP to a TLS port: ", true},
		{header("SSH-2"), "client does not speak TLS: ", false},
		{io.ErrUnexpectedEOF, "client left in the middle: ", false},
		{own, own.Error(), false},
	} {
		got := Explain(c.err)
		if !strings.HasPrefix(got.Error(), c.want) || !errors.Is(got, errors.Unwrap(c.err)) && got != c.err && !errors.Is(got, c.err) {
			t.Errorf("Explain(%v): got %v, want %q and the cause", c.err, got, c.want)
		}
		if plain := PlainHTTP(c.err); (plain != nil) != c.plain {
			t.Errorf("PlainHTTP(%v): got %v, want one: %v", c.err, plain, c.plain)
		}
	}
}
