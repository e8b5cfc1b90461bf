package interop

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/internal/testkit"
)

// document is the page whose configurations are tested.
const document = "../docs/behind-nginx.md"

// blocks are the code blocks of a language in the document.
func blocks(t *testing.T, language string) (list []string) {
	t.Helper()
	page, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		list = append(list, found[1])
	}
	return list
}

// adapt replaces the ports and paths of a configuration by those of the test; each has to
// be there.
func adapt(t *testing.T, config string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(config, pairs[i]) {
			t.Fatalf("%s: no %q in\n%s", document, pairs[i], config)
		}
	}
	return strings.NewReplacer(pairs...).Replace(config)
}

// nginxHTTP and the others are the places of blocks in the document.
const (
	nginxHTTP = iota
	nginxStream
	nginxToTLS
	nginxBlocks
)

func nginxBlock(t *testing.T, place int) string {
	t.Helper()
	list := blocks(t, "nginx")
	if len(list) != nginxBlocks {
		t.Fatalf("%d blocks of nginx in %s", len(list), document)
	}
	return list[place]
}

// nginx runs nginx with a part of its configuration, http or stream, which listens at an address.
func nginx(t *testing.T, config, address string) *testkit.Program {
	t.Helper()
	dir := t.TempDir()
	var head strings.Builder
	if strings.HasPrefix(config, "stream") {
		// In Debian it is a module.
		if module := "/usr/lib/nginx/modules/ngx_stream_module.so"; exists(module) {
			fmt.Fprintf(&head, "load_module %s;\n", module)
		} else if out, _, _ := try(t, "", "nginx", "-V"); !strings.Contains(out, "--with-stream ") {
			missing(t, "this nginx has no stream module")
		}
	} else {
		// What nginx collects lies below the folder of the test.
		config = "http {\naccess_log off;\nclient_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path f;\nuwsgi_temp_path u;\nscgi_temp_path s;\n" + config + "}\n"
	}
	if os.Getuid() == 0 {
		head.WriteString("user root;\n")
	}
	fmt.Fprintf(&head, "daemon off;\nworker_processes 1;\npid %s;\nerror_log stderr;\nevents {}\n", filepath.Join(dir, "pid"))
	p := start(t, "nginx", "-p", dir, "-e", "stderr", "-c", file(t, "nginx.conf", head.String()+config))
	listens(t, address)
	return p
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// port is that of an address.
func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// behindProxy trusts the proxies of loopback's first address; clients have others.
func behindProxy(w *workerman.Worker) {
	w.TrustedProxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
}

func TestBehindNginx(t *testing.T) {
	need(t, "nginx")
	cert := newCertificate(t)
	for _, encrypted := range []bool{false, true} {
		t.Run(map[bool]string{false: "http upstream", true: "https upstream"}[encrypted], func(t *testing.T) {
			scheme := "http"
			if encrypted {
				scheme = "https"
			}
			s := serve(t, false, scheme, func(w *workerman.Worker) {
				site(t)(w)
				behindProxy(w)
				if encrypted {
					w.TLS = workerman.ServerTLS{CertFile: cert.cert, KeyFile: cert.key}
				}
			})
			plain, secure := testkit.FreeAddress(t), testkit.FreeAddress(t)
			config := nginxBlock(t, nginxHTTP)
			if encrypted {
				config = adapt(t, config, "proxy_pass http://app;\n", nginxBlock(t, nginxToTLS))
				config = adapt(t, config, "/etc/nginx/tls/internal-ca.pem", cert.cert)
			}
			nginx(t, adapt(t, config, "127.0.0.1:8080", s.address(), "listen 80;", "listen "+plain+";", "listen 443 ssl;", "listen "+secure+" ssl;",
				"/etc/nginx/tls/example.com.pem", cert.cert, "/etc/nginx/tls/example.com.key", cert.key), plain)
			behindNginx(t, s, cert, plain, secure)
		})
	}
}

// behindNginx does through nginx what the site offers.
func behindNginx(t *testing.T, s *server, cert certificate, plain, secure string) {
	http, https := "http://"+plain, "https://example.com:"+port(t, secure)
	resolve := []string{"--cacert", cert.cert, "--resolve", "example.com:" + port(t, secure) + ":127.0.0.1"}
	t.Run("connections are kept", func(t *testing.T) {
		before := s.Stats().Accepted
		for range 20 {
			curl(t, "", http+"/echo")
		}
		if n := s.Stats().Accepted - before; n > 1 {
			t.Errorf("%d connections for 20 requests", n)
		}
	})
	t.Run("the client's address", func(t *testing.T) {
		args := []string{"--interface", "127.0.0.9", "-H", "X-Forwarded-For: 6.6.6.6"}
		if got := curl(t, "", append(args, http+"/client")...); got != "127.0.0.9 127.0.0.1 http" {
			t.Error(got)
		}
		if got := curl(t, "", append(append(args, resolve...), https+"/client")...); got != "127.0.0.9 127.0.0.1 https" {
			t.Error(got)
		}
	})
	t.Run("upload", func(t *testing.T) {
		path := file(t, "upload", string(large()))
		for _, more := range [][]string{{}, {"-H", "Transfer-Encoding: chunked"}} {
			if got := curl(t, "", append(more, "--data-binary", "@"+path, http+"/digest")...); got != digest(large()) {
				t.Errorf("%q: %s", more, got)
			}
		}
	})
	t.Run("download", func(t *testing.T) {
		if got := curl(t, "", append(resolve, https+"/files/large.bin")...); digest([]byte(got)) != digest(large()) {
			t.Errorf("%d bytes", len(got))
		}
		if got := curl(t, "", "--compressed", http+"/page"); got != page {
			t.Errorf("%d bytes of a page", len(got))
		}
		if got := curl(t, "", http+"/chunks"); got != "one,two,three" {
			t.Errorf("%q", got)
		}
	})
	t.Run("events", func(t *testing.T) { watchEvents(t, http) })
	t.Run("origins", func(t *testing.T) {
		request := strings.NewReplacer("GET /", "GET /ws", "Host: a", "Host: "+plain).Replace(upgrade)
		for origin, want := range map[string]string{"http://" + plain: "HTTP/1.1 101 ", "http://127.0.0.1": "HTTP/1.1 403 ", "https://evil.example": "HTTP/1.1 403 "} {
			c := endpoint(plain).dial(t)
			fmt.Fprintf(c, "%sOrigin: %s\r\n\r\n", request, origin)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
				t.Errorf("a page of %s is told %q, %v, want %q", origin, got, err, want)
			}
			c.Close()
		}
	})
	for name, url := range map[string]string{"ws": "ws://" + plain + "/ws", "wss": "wss://localhost:" + port(t, secure) + "/ws"} {
		t.Run(name, func(t *testing.T) {
			if got := node(t, "texts", url, cert.cert); got != `{"agreed":"","close":[1000,""]}` {
				t.Error(got)
			}
		})
	}
}

// where configures a text:// worker that tells clients who they are.
func where(w *workerman.Worker) {
	w.ProxyProtocol = true
	w.OnMessage = func(c *workerman.Conn, data []byte) { c.Send(fmt.Appendf(nil, "%s from %v", data, c.RemoteIP())) }
}

// askWhere talks to that worker through a proxy, from an address that only a client has.
func askWhere(t *testing.T, address string) {
	t.Helper()
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	c, err := d.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "hello\n")
	b := make([]byte, 100)
	n, err := c.Read(b)
	if got := string(b[:n]); err != nil || got != "hello from 127.0.0.9\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNginxSpeaksTheProxyProtocol(t *testing.T) {
	need(t, "nginx")
	engines(t, func(t *testing.T, portable bool) {
		s := serve(t, portable, "text", where)
		address := testkit.FreeAddress(t)
		nginx(t, adapt(t, nginxBlock(t, nginxStream), "listen 2346;", "listen "+address+";", "127.0.0.1:12346", s.address()), address)
		askWhere(t, address)
	})
}

func TestHAProxySpeaksTheProxyProtocol(t *testing.T) {
	need(t, "haproxy")
	list := blocks(t, "haproxy")
	if len(list) != 1 {
		t.Fatalf("%d blocks of haproxy in %s", len(list), document)
	}
	for _, version := range []string{"send-proxy", "send-proxy-v2"} {
		t.Run(version, func(t *testing.T) {
			s := serve(t, false, "text", where)
			address := testkit.FreeAddress(t)
			config := "defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 1m\n    timeout server 1m\n\n" +
				adapt(t, list[0], "bind :2347", "bind "+address, "127.0.0.1:12346", s.address(), "send-proxy-v2", version)
			start(t, "haproxy", "-db", "-f", file(t, "haproxy.cfg", config))
			listens(t, address)
			askWhere(t, address)
		})
	}
}

// TestProgramOfTheDocument builds the program that stands next to the configurations.
func TestProgramOfTheDocument(t *testing.T) {
	list := blocks(t, "go")
	if len(list) != 1 {
		t.Fatalf("%d programs in %s", len(list), document)
	}
	run(t, "", "go", "build", "-o", filepath.Join(t.TempDir(), "app"), file(t, "main.go", list[0]))
}
