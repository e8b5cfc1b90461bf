package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/internal/socket"
)

var (
	web   = socket.Address{Network: "tcp", Host: "0.0.0.0", Port: 80}
	game  = socket.Address{Network: "udp", Host: "::1", Port: 9000}
	local = socket.Address{Network: "unix", Path: "/run/100% chat/app.sock"}
)

func TestUnit(t *testing.T) {
	text, err := Unit(UnitOptions{
		Program: "/opt/100% chat/chat", Args: []string{"-config", `a "b" $HOME`, "", ";", "x=$1\n"},
		WorkingDirectory: "/opt/100% chat", User: "www-data", Group: "www-data", Description: "Chat\n100%",
		StopTimeout: 4500 * time.Millisecond, Files: 5000, Watchdog: -1,
		PidFile: "/run/100% chat/a/chat.pid", LogFile: "/var/log/chat/chat.log", Listen: []socket.Address{web},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"Description=Chat 100%%", "Type=notify",
		`ExecStart="/opt/100%% chat/chat" start -config "a \"b\" $$HOME" "" ";" "x=$$1\x0a"`,
		`ExecReload="/opt/100%% chat/chat" reload`,
		"WorkingDirectory=/opt/100%% chat", "User=www-data", "Group=www-data", "KillMode=mixed", "TimeoutStopSec=35s",
		"LimitNOFILE=5000", "Restart=on-failure", "OOMPolicy=continue", "AmbientCapabilities=CAP_NET_BIND_SERVICE",
		`RuntimeDirectory="100%% chat/a"`, "LogsDirectory=chat", "WantedBy=multi-user.target",
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
	for _, not := range []string{"WatchdogSec", "PIDFile", ".socket"} {
		if strings.Contains(text, not) {
			t.Errorf("%s in\n%s", not, text)
		}
	}
}

func TestUnitDefaults(t *testing.T) {
	text, err := Unit(UnitOptions{Program: "/usr/local/bin/chat", PidFile: "/run/chat.pid", LogFile: "/srv/log/chat.log", Listen: []socket.Address{web}, Sockets: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"Description=chat", "ExecStart=/usr/local/bin/chat start", "WorkingDirectory=/", "WatchdogSec=30s",
		"LimitNOFILE=1048576", "TimeoutStopSec=90s", "Requires=chat.socket",
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
	for _, not := range []string{"User=", "RuntimeDirectory", "LogsDirectory", "AmbientCapabilities"} {
		if strings.Contains(text, not) {
			t.Errorf("%s in\n%s", not, text)
		}
	}
}

func TestSocketUnit(t *testing.T) {
	text, err := SocketUnit(UnitOptions{Program: "/usr/bin/chat", Listen: []socket.Address{web, game, local,
		{Network: "unix", Path: "@abstract"}, {Network: "tcp", Host: "localhost", Port: 81}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"ListenStream=0.0.0.0:80", "ListenDatagram=[::1]:9000", "ListenStream=/run/100%% chat/app.sock", "ListenStream=@abstract",
		"ListenStream=127.0.0.1:81", "SocketMode=0666", "WantedBy=sockets.target",
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
}

func TestUnitsThatCannotBe(t *testing.T) {
	for _, test := range []struct {
		o    UnitOptions
		want string
	}{
		{UnitOptions{Program: "chat"}, "no absolute path"},
		{UnitOptions{Program: "/chat", WorkingDirectory: "x"}, "no absolute path"},
		{UnitOptions{Program: `/a"b/chat`}, "has a quote"},
		{UnitOptions{Program: "/chat\n"}, "cannot name the program"},
		{UnitOptions{Program: "/chat", User: "a\nb"}, "cannot name the user"},
		{UnitOptions{Program: "/chat", WorkingDirectory: `/x\`}, "cannot name the working directory"},
	} {
		if text, err := Unit(test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %q, %v", test.o, text, err)
		}
		if _, err := SocketUnit(test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test.o, err)
		}
	}
	for _, test := range []struct {
		a    []socket.Address
		want string
	}{
		{nil, "no worker listens"},
		{[]socket.Address{{Network: "tcp", Host: "127.0.0.1"}}, "port that is known"},
		{[]socket.Address{{Network: "tcp", Host: "example.org", Port: 1}}, "instead of a name"},
		{[]socket.Address{{Network: "unix", Path: "run/x"}}, "absolute path"},
	} {
		if _, err := SocketUnit(UnitOptions{Program: "/chat", Listen: test.a}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test.a, err)
		}
	}
}

// systemd itself reads the units and says nothing about them. Its program has to be there.
func TestUnitsAreVerified(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(t.TempDir(), `100% chat`)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "chat")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	o := UnitOptions{
		Program: program, Args: []string{"-x", `a "b" $HOME %h`, "", ";", "\n"}, WorkingDirectory: dir, User: "daemon",
		PidFile: "/run/100% chat/chat.pid", LogFile: "/var/log/chat/chat.log",
		Listen: []socket.Address{web, game, local}, Sockets: true,
	}
	service, err := Unit(o)
	if err != nil {
		t.Fatal(err)
	}
	sockets, err := SocketUnit(o)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for name, text := range map[string]string{"chat.service": service, "chat.socket": sockets} {
		files = append(files, filepath.Join(dir, name))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("systemd-analyze", append([]string{"verify", "--man=no"}, files...)...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, dir) || strings.Contains(line, "chat.") {
			t.Error(line)
		}
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
