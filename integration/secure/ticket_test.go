package secure

import (
	"crypto/tls"
	"io"
	"testing"

	"github.com/workerman-go/workerman"
)

// resumes exchanges a message and reports whether the session was continued.
func resumes(t *testing.T, w *workerman.Worker, config *tls.Config) bool {
	t.Helper()
	c := dialTLS(t, w, config)
	defer c.Close()
	c.Write([]byte("x\n"))
	if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	return c.ConnectionState().DidResume
}

func TestSessionTicketsCanBeOff(t *testing.T) {
	_, w, a := serveTLS(t, kind{Network: "tcp"}, "text+ssl", func(w *workerman.Worker) {
		w.TLS.Config = &tls.Config{SessionTicketsDisabled: true}
		echo(w)
	})
	config := a.ClientConfig("a.test")
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for range 2 {
		if resumes(t, w, config) {
			t.Error("resumed")
		}
	}
}
