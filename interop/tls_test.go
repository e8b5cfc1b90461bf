package interop

import (
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
)

// secured adds the certificate to a configuration.
func secured(c certificate, configure func(w *workerman.Worker)) func(w *workerman.Worker) {
	return func(w *workerman.Worker) {
		configure(w)
		w.TLS.CertFile, w.TLS.KeyFile = c.cert, c.key
	}
}

func TestCurlOverTLS(t *testing.T) {
	need(t, "curl")
	cert := newCertificate(t)
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "https", secured(cert, site(t)))
		url := "https://" + s.address()
		upload := file(t, "upload", string(large()))
		trust := []string{"--cacert", cert.cert}
		for _, x := range []struct {
			name string
			args []string
			want string
		}{
			{"TLS 1.2", []string{"--tls-max", "1.2", url + "/echo"}, `GET HTTP/1.1 "" ""`},
			{"TLS 1.3", []string{"--tlsv1.3", url + "/echo"}, `GET HTTP/1.1 "" ""`},
			{"no HTTP/2", []string{"--http2", "-w", " %{http_version}", url + "/echo"}, `GET HTTP/1.1 "" "" 1.1`},
			{"one connection for two requests", []string{"-w", written + "\n", url + "/echo", url + "/echo"}, strings.Repeat("GET HTTP/1.1 \"\" \"\"\n200 %\n", 2)},
			{"upload", []string{"--data-binary", "@" + upload, url + "/digest"}, digest(large())},
			{"chunked upload", []string{"-H", "Transfer-Encoding: chunked", "--data-binary", "@" + upload, url + "/digest"}, digest(large())},
			{"range", []string{"-r", "100-199", url + "/files/large.bin"}, string(large()[100:200])},
		} {
			t.Run(x.name, func(t *testing.T) {
				want := strings.Replace(strings.Replace(x.want, "%", "1", 1), "%", "0", 1)
				if got := curl(t, "", append(trust, x.args...)...); got != want {
					t.Errorf("%s\nwant\n%s", tail(got), want)
				}
			})
		}
		t.Run("download", func(t *testing.T) {
			if got := curl(t, "", append(trust, url+"/files/large.bin")...); digest([]byte(got)) != digest(large()) {
				t.Errorf("%d bytes of %d came", len(got), len(large()))
			}
		})
		t.Run("events", func(t *testing.T) {
			file := file(t, ".curlrc", "cacert = "+cert.cert)
			t.Setenv("CURL_HOME", filepath.Dir(file))
			watchEvents(t, url)
		})
		t.Run("TLS 1.1 is refused", func(t *testing.T) {
			if out, _, err := try(t, "", "curl", append(trust, "-sS", "--tls-max", "1.1", url+"/echo")...); err == nil {
				t.Error(out)
			}
		})
		t.Run("plain HTTP", func(t *testing.T) {
			if answer, err := s.tell([]string{follows}); err != nil || !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
				t.Errorf("%q, %v, want a 400 in clear", answer, err)
			}
			eventually(t, "it is logged", func() bool { return len(s.log.Lines("plain HTTP")) == 1 })
		})
		t.Run("noise", func(t *testing.T) {
			c := s.dial(t)
			io.WriteString(c, "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"+strings.Repeat("x", 100))
			if _, err := io.ReadAll(c); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestClientCertificate(t *testing.T) {
	need(t, "curl")
	cert, client := newCertificate(t), newCertificate(t)
	s := serve(t, false, "https", func(w *workerman.Worker) {
		secured(cert, site(t))(w)
		w.TLS.ClientCAFile = client.cert
	})
	url := "https://" + s.address() + "/echo"
	if got := curl(t, "", "--cacert", cert.cert, "--cert", client.cert, "--key", client.key, url); got != `GET HTTP/1.1 "" ""` {
		t.Error(got)
	}
	for _, args := range [][]string{{}, {"--cert", cert.cert, "--key", cert.key}} {
		if out, _, err := try(t, "", "curl", append(args, "-sS", "--cacert", cert.cert, url)...); err == nil {
			t.Errorf("%q: %s", args, out)
		}
	}
}

func TestOpenSSL(t *testing.T) {
	cert := newCertificate(t)
	s := serve(t, false, "https", secured(cert, site(t)))
	connect := []string{"s_client", "-connect", s.address(), "-CAfile", cert.cert, "-verify_return_error", "-ign_eof", "-alpn", "h2,http/1.1"}
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		session := filepath.Join(t.TempDir(), "session")
		args := append(connect, version)
		out := run(t, follows, "openssl", append(args, "-sess_out", session)...)
		for _, want := range []string{"HTTP/1.1 404 Not Found", "ALPN protocol: http/1.1", "Verify return code: 0 (ok)", "New, TLS"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", version, want, out)
			}
		}
		if out := run(t, follows, "openssl", append(args, "-sess_in", session)...); !strings.Contains(out, "Reused, TLS") {
			t.Errorf("%s: the session was not continued:\n%s", version, out)
		}
	}
}

func TestLoadOverTLS(t *testing.T) {
	cert := newCertificate(t)
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "https", secured(cert, hello))
		t.Run("wrk", func(t *testing.T) {
			checkWrk(t, run(t, "", "wrk", "-t1", "-c20", "-d1s", "-s", file(t, "pipeline.lua", pipelined), "https://"+s.address()+"/"))
		})
		t.Run("h2load", func(t *testing.T) {
			const n = 5000
			checkH2load(t, run(t, "", "h2load", "--h1", "-n", strconv.Itoa(n), "-c", "20", "-m", "8", "https://"+s.address()+"/"), n)
		})
	})
}

func TestNodeClientOverTLS(t *testing.T) {
	needNode(t)
	cert := newCertificate(t)
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "wss", secured(cert, func(w *workerman.Worker) {
			echoSocket(w)
			w.WebSocket.Compression.Enabled = true
		}))
		url := "wss://" + s.address()
		for scenario, want := range map[string]string{
			"echo":      `{"agreed":"","close":[1000,""]}`,
			"fragments": `{"pong":"between","data":"first second third","binary":false}`,
			"ping":      `{"pong":"hello","pings":["are you there?"],"ack":"pong: are you there?"}`,
			"crowd":     crowded,
		} {
			t.Run(scenario, func(t *testing.T) {
				if got := node(t, scenario, url, cert.cert); got != want {
					t.Errorf("%s\nwant\n%s", got, want)
				}
			})
		}
		t.Run("unknown certificate", func(t *testing.T) {
			if out, _, err := try(t, "", "node", "testdata/wsclient.js", "echo", url); err == nil {
				t.Error(out)
			}
		})
	})
}
