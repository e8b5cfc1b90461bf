//go:build linux

package operation

import (
	"net"
	"strings"
	"testing"
)

// After a reload new code serves, under the same id and on the same socket, and the master
// is the same.
func TestReloadRunsTheNewProgram(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-count", "2")
	before := in.status()
	addr := in.address("orders")
	in.deploy("2", "")
	in.must("reload")
	after := in.status()
	if after.PID != before.PID {
		t.Error("the master is another")
	}
	if after.Reload == nil || after.Reload.Replaced != 2 || after.Reload.Error != "" || after.Reloads != 1 {
		t.Errorf("reload %+v", after.Reload)
	}
	for range 4 {
		if got := dial(t, addr).ask("version"); got != "2" {
			t.Errorf("version %s answers", got)
		}
	}
	in.logged("OnWorkerReload in version 1")
	in.logged("OnWorkerStop in version 1")
}

// What does not start is refused with its own words, and the old version goes on.
func TestReloadRefusesBrokenPrograms(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-start-timeout", "3s")
	pid := in.one("orders").PID
	addr := in.address("orders")
	for _, c := range []struct{ trouble, text string }{
		{"panic", "panic: version 2 is broken"},
		{"exit", "version 2 does not like this machine"},
		{"silent", "without a call of RunAll"},
		{"hang", "does not come to RunAll within 3s"},
		{"start", "version 2 finds no database"},
	} {
		in.deploy("2", c.trouble)
		in.refuse(1, c.text, "reload")
		if now := in.one("orders").PID; now != pid {
			t.Fatalf("%s: the process is another", c.trouble)
		}
		if got := dial(t, addr).ask("version"); got != "1" {
			t.Errorf("%s: version %s answers", c.trouble, got)
		}
	}
	in.deploy("3", "")
	in.must("reload")
	if got := dial(t, addr).ask("version"); got != "3" {
		t.Errorf("version %s answers", got)
	}
}

// A crashed process gets a successor of its own version, whatever lies on the disk.
func TestCrashReplacementIsOfTheRunningVersion(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon()
	in.deploy("2", "panic")
	pid := in.one("orders").PID
	c := dial(t, in.address("orders"))
	c.send("exit")
	c.closed()
	in.until("a successor", func() bool { return in.one("orders").PID != pid })
	if got := dial(t, in.address("orders")).ask("version"); got != "1" {
		t.Errorf("version %s answers", got)
	}
}

// Connections of text move to the new process with their ids, Data by OnHandover.
func TestReloadMovesConnections(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-adopt")
	c := dial(t, in.address("orders"))
	id, pid := c.ask("conn"), c.ask("pid")
	c.ask("count")
	c.ask("count")
	if _, err := c.conn.Write([]byte("half a li")); err != nil {
		t.Fatal(err)
	}
	in.deploy("2", "")
	in.must("reload")
	if got := c.ask("ne"); got != "half a line" {
		t.Errorf("the message that was on its way became %q", got)
	}
	if got := c.ask("version"); got != "2" {
		t.Errorf("version %s answers", got)
	}
	if now := c.ask("pid"); now == pid {
		t.Error("the process is the same")
	}
	if now := c.ask("conn"); now != id {
		t.Errorf("the connection's id was %s and is %s", id, now)
	}
	if n := c.number("count"); n != 3 {
		t.Errorf("the connection remembers %d", n)
	}
	if m := in.worker("orders").Moved; m != 1 {
		t.Errorf("%d connections moved", m)
	}
}

// A worker that is not reloadable hears of it and goes on.
func TestNotReloadable(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-reloadable=false")
	pid := in.one("orders").PID
	in.deploy("2", "")
	in.must("reload")
	in.logged("OnWorkerReload in version 1")
	if now := in.one("orders").PID; now != pid {
		t.Error("the process is another")
	}
}

// A process that listens by itself does so beside its successor.
func TestReloadWithListenInOnWorkerStart(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inner := free.Addr().String()
	free.Close()
	in := install(t, "1")
	in.daemon("-count", "2", "-inner", "text://"+inner)
	if got := dial(t, inner).ask("version"); got != "1" {
		t.Errorf("version %s answers", got)
	}
	in.deploy("2", "")
	in.must("reload")
	if got := dial(t, inner).ask("version"); got != "2" {
		t.Errorf("version %s answers", got)
	}
}

func TestRecycle(t *testing.T) {
	t.Parallel()
	in := install(t, "1")
	in.daemon("-recycle", "100")
	pid := in.one("orders").PID
	c := dial(t, in.address("orders"))
	for range 100 {
		c.ask("x")
	}
	in.until("a successor", func() bool { return in.one("orders").PID != pid })
	if e := in.worker("orders").Exits; len(e) != 1 || !strings.Contains(e[0].Cause, "recycled: 10") {
		t.Errorf("exits %+v", e)
	}
	if got := c.ask("still here"); got != "still here" {
		t.Errorf("answer %q", got)
	}
}
