package loop

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// openssl is a client of another implementation, which can do what crypto/tls offers nobody:
// renew keys and renegotiate.
type openssl struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startOpenssl(t *testing.T, address string, args ...string) *openssl {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no openssl")
		}
		t.Skip("there is no openssl")
	}
	cmd := exec.Command(path, append([]string{"s_client", "-connect", address, "-servername", "test"}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := &openssl{t, cmd, in, bufio.NewScanner(out)}
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return o
}

// say sends a line, or gives a command of one letter.
func (o *openssl) say(line string) {
	o.t.Helper()
	if _, err := io.WriteString(o.in, line+"\n"); err != nil {
		o.t.Fatal(err)
	}
}

// hear reads until a line contains the words.
func (o *openssl) hear(words string) {
	o.t.Helper()
	var all strings.Builder
	for o.out.Scan() {
		if strings.Contains(o.out.Text(), words) {
			return
		}
		all.WriteString(o.out.Text() + "\n")
	}
	o.t.Fatalf("openssl does not say %q but\n%s", words, all.String())
}

// Each side may renew its keys and ask the other to do the same at any time.
func TestTLSKeyUpdate(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		for _, size := range []int{readBufferSize, 1} {
			s := serveTLS(t, e, Server, serverConfig(), nil)
			on(t, s.loop, func() { s.loop.records = make([]byte, size) })
			o := startOpenssl(t, s.address, "-tls1_3")
			o.hear("---")
			await(t, s.accepted)
			for _, command := range []string{"K", "k", "K"} {
				o.say("before " + command)
				o.hear("before " + command)
				o.say(command)
				o.hear("KEYUPDATE")
				o.say("after " + command)
				o.hear("after " + command)
			}
		}
	})
}

func TestTLSRenegotiationIsRefused(t *testing.T) {
	engines(t, func(t *testing.T, e Engine) {
		s := serveTLS(t, e, Server, serverConfig(), nil)
		o := startOpenssl(t, s.address, "-tls1_2", "-legacy_renegotiation")
		o.hear("---")
		stream := await(t, s.accepted)
		o.say("hello")
		o.hear("hello")
		o.say("R")
		if err := await(t, stream.closed); err == nil {
			t.Error("Closed(nil)")
		} else {
			t.Log(err)
		}
	})
}
