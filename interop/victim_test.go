package interop

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman"
)

// victimMode is the environment variable that makes a victim of the test program.
const victimMode = "INTEROP_VICTIM"

// beVictim serves an echo in a process of its own, whose memory can be told from that of
// who abuses it.
func beVictim() {
	workerman.DefaultMaster().OneProcess = true // that who abuses it watches
	w := workerman.NewWorker("websocket://127.0.0.1:0")
	w.Name = "victim"
	w.MaxPackageSize = 1 << 20
	w.MaxSendBuffer = 256 << 10
	w.HandshakeTimeout = time.Second
	w.WebSocket.Compression.Enabled = true
	w.WebSocket.Compression.ContextTakeover = true
	w.OnMessage = answer
	workerman.RunAll()
}

// victimProcess is a running victim.
type victimProcess struct {
	endpoint
	pid  int
	peak int // bytes of memory that it had needed before the abuse
}

var victimListens = regexp.MustCompile(`listen=websocket://(\S+)`)

// victim starts a victim, which at the end of the test must still serve a good client.
func victim(t *testing.T, portable bool) *victimProcess {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimMode+"=yes")
	if portable {
		cmd.Env = append(cmd.Env, "WORKERMAN_ENGINE=portable")
	}
	out := startCommand(t, cmd)
	var found []string
	eventually(t, "the victim runs", func() bool {
		found = victimListens.FindStringSubmatch(out.Output.String())
		return found != nil
	})
	v := &victimProcess{endpoint: endpoint(found[1]), pid: cmd.Process.Pid}
	v.greet(t)
	v.peak = v.memory(t)
	t.Cleanup(func() {
		v.greet(t)
		for _, line := range append(out.Output.Lines("panic"), out.Output.Lines("DATA RACE")...) {
			t.Error(line)
		}
	})
	return v
}

// greet is a good client.
func (v *victimProcess) greet(t *testing.T) {
	t.Helper()
	want := []string{`text "still there?"`, "close 1000", "end"}
	if got := v.socket(t, "").tell([]string{frame(fin|text, "still there?") + closing(1000, "")}); !slices.Equal(got, want) {
		t.Errorf("a good client is told %q", got)
	}
}

// memory is the most that the process has had in memory so far, in bytes.
func (v *victimProcess) memory(t *testing.T) (bytes int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscanf(strings.TrimSpace(after), "%d kB", &bytes); err != nil {
		t.Fatal(err)
	}
	return bytes << 10
}

// boundedMemory fails if the abuse has cost the process much memory.
func (v *victimProcess) boundedMemory(t *testing.T) {
	t.Helper()
	const most = 32 << 20
	grown := v.memory(t) - v.peak
	if grown > most {
		t.Errorf("%d bytes of memory more, want at most %d", grown, most)
	}
	t.Logf("%d KiB of memory more", grown>>10)
}
