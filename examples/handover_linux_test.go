package examples

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Each reload gives what a client's connection carries to another process. Two in a row show that
// what comes out is what went in: the type, the text and the numbers.
func TestHandoverTwoReloadsInARow(t *testing.T) {
	t.Parallel()
	p := start(t, "native", "handover", "-text", "text://"+anyPort, "-web", "websocket://"+anyPort)
	address := p.ports()
	const ann, bob = `Ann "the \ fox"`, "Bob"
	terminal := dial(t, "tcp", address["terminals"])
	terminal.send(ann + "\n")
	terminal.gets("welcome, " + ann)
	browser := openSocket(t, address["browsers"], "/")
	browser.says(bob)
	browser.hears("welcome, " + bob)
	unnamed := dial(t, "tcp", address["terminals"])
	terminal.send("before\n")
	terminal.gets(ann + " has coins: 1")
	browser.says("before")
	browser.hears(bob + " has coins: 1")
	for reload := 1; reload <= 2; reload++ {
		before := p.workers()
		terminal.send("half of a ")
		p.command("reload")
		for name, pid := range p.workers() {
			if pid == before[name] {
				t.Fatalf("reload %d: the process of %s is the same", reload, name)
			}
		}
		terminal.send("line\n")
		terminal.gets(fmt.Sprint(ann, " has coins: ", reload+1))
		browser.says("after")
		browser.hears(fmt.Sprint(bob, " has coins: ", reload+1))
	}
	unnamed.send("Cleo\nfirst\n")
	unnamed.gets("welcome, Cleo", "Cleo has coins: 1")
	if text := p.Output.String(); strings.Contains(text, "a player left") {
		t.Errorf("a connection was closed:\n%s", text)
	}
	terminal.Close()
	p.says(fmt.Sprintf("name=%q coins=3", ann))
	p.endsWell(syscall.SIGTERM)
}

// A timer stays behind in the old process, and OnAdopt starts another.
func TestHandoverStartsTimersAgain(t *testing.T) {
	t.Parallel()
	p := start(t, "native", "handover", "-text", "text://"+anyPort, "-web", "websocket://"+anyPort, "-remind", "50ms")
	terminal := dial(t, "tcp", p.ports()["terminals"])
	terminal.send("Ann\n")
	terminal.until("welcome, Ann")
	for range 2 {
		terminal.until("are you there, Ann?")
		p.command("reload")
		terminal.send("x\n") // the answer is behind all that the old process said
		for !strings.HasPrefix(terminal.line(), "Ann has coins") {
		}
		terminal.until("are you there, Ann?")
	}
	p.endsWell(syscall.SIGTERM)
}

// The first program keeps nothing of its clients, so they stay without OnHandover and OnAdopt.
func TestHelloStaysConnectedAtAReload(t *testing.T) {
	t.Parallel()
	p := start(t, "native", hello(t))
	address := p.address()
	a, b := openSocket(t, address, "/"), openSocket(t, address, "/")
	for range 2 {
		p.command("reload")
		a.says("hello")
		a.hears("hello")
		b.hears("hello")
	}
	p.endsWell(syscall.SIGTERM)
}

// until reads lines until one is as wanted.
func (c *client) until(want string) {
	c.t.Helper()
	for c.line() != want {
	}
}

// command gives a command to the service that the process is the master of.
func (p *process) command(args ...string) string {
	p.t.Helper()
	command := exec.Command(p.cmd.Path, args...)
	command.Env = p.cmd.Env
	out, err := command.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// serviceStatus is what a test wants to know of status --json.
type serviceStatus struct {
	Workers []struct {
		Name, Listen string
		Processes    []struct {
			PID   int
			State string
		}
	}
}

// service asks the master for its status.
func (p *process) service() (s serviceStatus) {
	p.t.Helper()
	out := p.command("status", "--json")
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		p.t.Fatalf("%v in %s", err, out)
	}
	return s
}

// workers tells the process of each worker, which has no other.
func (p *process) workers() map[string]int {
	p.t.Helper()
	pids := make(map[string]int)
	for _, w := range p.service().Workers {
		for _, one := range w.Processes {
			if one.State == "ready" {
				pids[w.Name] = one.PID
			}
		}
	}
	if len(pids) != 2 {
		p.t.Fatalf("got the processes %v, want one of each worker", pids)
	}
	return pids
}

// ports tells where each worker listens, once the service has started.
func (p *process) ports() map[string]string {
	p.t.Helper()
	p.addresses(2)
	ports := make(map[string]string)
	for _, w := range p.service().Workers {
		_, ports[w.Name], _ = strings.Cut(w.Listen, "://")
	}
	return ports
}
