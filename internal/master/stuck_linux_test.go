package master

import (
	"io"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/workerman-go/workerman/internal/control"
)

// A process that does not run, and so reads no messages, holds up nothing but itself.
func TestStuckProcessHoldsNobodyUp(t *testing.T) {
	v := start(t, worker("a", 2))
	stuck, other := v.slot("a", 0)[0], v.slot("a", 1)[0]
	syscall.Kill(stuck.pid, syscall.SIGSTOP)
	for range 1000 {
		v.within("a message to all", v.Notify)
	}
	v.within("status", func() {
		for _, p := range v.Status(t.Context()).Workers[0].Processes {
			if want := map[int]string{stuck.pid: control.Lost, other.pid: control.Ready}[p.PID]; p.State != want {
				t.Errorf("process %d is %s, want %s", p.PID, p.State, want)
			}
		}
	})
	syscall.Kill(stuck.pid, syscall.SIGCONT)
	v.until("an answer", func() bool {
		v.mu.Unlock()
		defer v.mu.Lock()
		return v.Status(t.Context()).Workers[0].Processes[0].State == control.Ready
	})
}

// A command that does not read what it is told, as one suspended by Ctrl+Z, holds nobody up.
func TestSuspendedCommand(t *testing.T) {
	v := start(t, worker("a", 1))
	path := filepath.Join(t.TempDir(), "a.sock")
	ln, err := ListenSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(sent)
		e := &events{w: w}
		for range 5000 {
			e.send(control.Event{Left: 1})
		}
	})}
	go server.Serve(ln)
	defer server.Close()
	c, err := DialSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST /stop HTTP/1.1\r\nHost: master\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	v.within("all is told", func() { <-sent })
}

// A reload does not wait for connections of a process that does not run.
func TestReloadOfStuckProcess(t *testing.T) {
	v := start(t, worker("a", 1))
	v.deploy("", worker("a", 1))
	stuck := v.slot("a", 0)[0]
	syscall.Kill(stuck.pid, syscall.SIGSTOP)
	v.within("reload", func() {
		if err := v.Reload(false, nil); err != nil {
			t.Error(err)
		}
	})
	v.within("the stuck process is killed", func() { <-stuck.gone })
	if list := v.slot("a", 0); len(list) != 1 || list[0] == stuck {
		t.Errorf("%d processes", len(list))
	}
}
