package master

import (
	"strings"
	"testing"

	"github.com/workerman-go/workerman/internal/socket"
)

func TestCheckPlanRefusesOneAddressForTwo(t *testing.T) {
	at := func(name, network, rest string) Worker {
		a, err := socket.Parse(network, rest)
		if err != nil {
			t.Fatal(err)
		}
		return Worker{Name: name, Listen: "text://" + rest, Socket: &a}
	}
	for _, c := range []struct {
		workers []Worker
		refused bool
	}{
		{[]Worker{at("a", "tcp", "127.0.0.1:80"), at("b", "tcp", "127.0.0.1:81"), {Name: "c"}}, false},
		{[]Worker{at("a", "tcp", "127.0.0.1:80"), at("b", "udp", "127.0.0.1:80")}, false},
		{[]Worker{at("a", "tcp", "127.0.0.1:0"), at("b", "tcp", "127.0.0.1:0")}, false},
		{[]Worker{at("a", "tcp", "127.0.0.1:80"), at("b", "tcp", "127.0.0.1:80")}, true},
		{[]Worker{at("a", "unix", "/x"), at("b", "unix", "/x")}, true},
	} {
		err := CheckPlan(Plan{Workers: c.workers})
		if (err != nil) != c.refused {
			t.Errorf("%+v: %v", c.workers, err)
		}
		if err != nil && (!strings.Contains(err.Error(), `"a"`) || !strings.Contains(err.Error(), `"b"`)) {
			t.Errorf("error %q does not name both", err)
		}
	}
}

func TestSocketsOfAWorker(t *testing.T) {
	tcp, unix := &socket.Address{Network: "tcp"}, &socket.Address{Network: "unix"}
	for _, c := range []struct {
		w      Worker
		n      int
		shares bool
	}{
		{Worker{Loops: 2}, 0, true},
		{Worker{Socket: tcp, Loops: 2}, 1, true},
		{Worker{Socket: tcp, Loops: 2, ReusePort: true}, 2, false},
		{Worker{Socket: unix, Loops: 2, ReusePort: true}, 1, true},
	} {
		if n := c.w.sockets(); n != c.n {
			t.Errorf("%+v needs %d sockets, want %d", c.w, n, c.n)
		}
		if c.w.Socket != nil && c.w.sharesSocket() != c.shares {
			t.Errorf("%+v: shares %v", c.w, !c.shares)
		}
	}
}
