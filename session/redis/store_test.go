package redis

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/workerman-go/workerman/internal/testkit"
	"github.com/workerman-go/workerman/session/internal/storetest"
)

// server is a redis-server of a test, on a Unix socket.
type server struct {
	*testkit.Program
	t      *testing.T
	socket string
}

// startServer starts a server that ends with the test. Without a redis-server the test is
// skipped; CI has to have one.
func startServer(t *testing.T) *server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed (Debian: apt-get install redis-server)")
		}
		t.Skip("redis-server is not installed (Debian: apt-get install redis-server)")
	}
	s := &server{t: t, socket: testkit.SocketPath(t)}
	s.Program = testkit.Start(t, exec.Command(path, "--port", "0", "--unixsocket", s.socket, "--save", "", "--appendonly", "no",
		"--dir", filepath.Dir(s.socket), "--daemonize", "no"))
	testkit.Eventually(t, "redis-server listens", func() bool {
		select {
		case <-s.Exited():
			t.Fatal("redis-server has ended")
		default:
		}
		c, err := net.Dial("unix", s.socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return s
}

func (s *server) client() rueidis.Client {
	s.t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.socket},
		DialCtxFn: func(ctx context.Context, address string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return d.DialContext(ctx, "unix", address)
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(client.Close)
	return client
}

func TestStore(t *testing.T) { storetest.Run(t, &Store{Client: startServer(t).client()}) }

func TestKeys(t *testing.T) {
	ctx := context.Background()
	client := startServer(t).client()
	id := rand.Text()
	a, b := &Store{Client: client}, &Store{Client: client, Prefix: "b:"}
	for _, s := range []*Store{a, b} {
		if err := s.Create(ctx, id, []byte("x"), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Delete(ctx, id); err != nil {
		t.Fatal(err)
	}
	if data, _, err := a.Load(ctx, id); string(data) != "x" || err != nil {
		t.Errorf("stores with other prefixes share a session: %q, %v", data, err)
	}
	keys, err := client.Do(ctx, client.B().Keys().Pattern("*").Build()).AsStrSlice()
	if err != nil || strings.Join(keys, " ") != "session:"+id {
		t.Errorf("%q, %v", keys, err)
	}
}

// A server that is down is an error, within the context's time, and nothing is taken for an
// unknown session.
func TestServerDown(t *testing.T) {
	s := startServer(t)
	store := &Store{Client: s.client()}
	id := rand.Text()
	if err := store.Create(context.Background(), id, []byte("x"), time.Hour); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, _, err := store.Load(ctx, id)
	for what, err := range map[string]error{"Load": err, "Create": store.Create(ctx, id, nil, time.Hour), "Save": store.Save(ctx, id, nil, time.Hour),
		"Touch": store.Touch(ctx, id, time.Hour), "Delete": store.Delete(ctx, id)} {
		if err == nil || strings.Contains(err.Error(), "gone since") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
