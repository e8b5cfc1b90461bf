package interop

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/httpclient"
	"github.com/workerman-go/workerman/internal/testkit"
)

// nginxSite is an nginx that httpclient asks, and how.
type nginxSite struct {
	t             *testing.T
	scheme, proto string
	address       string
	trusted       *x509.CertPool
	on            *workerman.Worker
	config        string
	nginx         *testkit.Program
}

// webConfig is the configuration of the nginx. /count tells which connection a request came
// on, and /silent never answers.
const webConfig = `
default_type application/octet-stream;
types { text/plain txt; }
gzip on;
gzip_types text/plain;
ssl_certificate CERT;
ssl_certificate_key KEY;
server {
	listen ADDRESS;
	root ROOT;
	location /count { return 200 "$server_protocol $connection"; }
	location /slow/ { alias ROOT/; limit_rate 100k; }
	location /silent { proxy_pass http://SILENT; }
	location /moved { return 302 /page.txt; }
	location /loop { return 302 /loop; }
}
`

// download is a body of 10 MB.
func download() []byte { return large()[:10_000_000] }

// webs runs a test with each way to ask an nginx, on both engines.
func webs(t *testing.T, test func(t *testing.T, w *nginxSite)) {
	need(t, "nginx")
	cert := newCertificate(t)
	pem, err := os.ReadFile(cert.cert)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem)
	root := t.TempDir()
	for name, content := range map[string][]byte{"large.bin": download(), "page.txt": []byte(page)} {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts nothing, which nginx does not see
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, way := range []struct{ name, scheme, proto, listen string }{
		{"http", "http", "HTTP/1.1", ""},
		{"https", "https", "HTTP/1.1", " ssl"},
		{"https and HTTP 2", "https", "HTTP/2.0", " ssl http2"},
	} {
		t.Run(way.name, func(t *testing.T) {
			engines(t, func(t *testing.T, portable bool) {
				w := &nginxSite{t: t, scheme: way.scheme, proto: way.proto, address: testkit.FreeAddress(t), trusted: trusted}
				w.config = strings.NewReplacer("ADDRESS", w.address+way.listen, "CERT", cert.cert, "KEY", cert.key, "ROOT", root,
					"SILENT", silent.Addr().String()).Replace(webConfig)
				w.start()
				_, w.on = clients(t, portable)
				test(t, w)
			})
		})
	}
}

func (w *nginxSite) start() { w.nginx = nginx(w.t, w.config, w.address) }
func (w *nginxSite) stop()  { w.nginx.Stop() }

func (w *nginxSite) url(path string) string { return w.scheme + "://" + w.address + path }

// client makes a client that trusts the nginx.
func (w *nginxSite) client() *httpclient.Client {
	c := &httpclient.Client{Proxy: "none", TLS: &tls.Config{RootCAs: w.trusted}}
	w.t.Cleanup(c.CloseIdle)
	return c
}

// outcome is what a request brings.
type outcome struct {
	*httpclient.Response
	err error
}

// get asks and waits.
func (w *nginxSite) get(c *httpclient.Client, path string) outcome {
	w.t.Helper()
	answers := make(chan outcome, 1)
	c.Get(w.on, w.url(path), func(r *httpclient.Response, err error) { answers <- outcome{r, err} })
	return w.wait(answers)
}

func (w *nginxSite) wait(answers <-chan outcome) outcome {
	w.t.Helper()
	select {
	case a := <-answers:
		return a
	case <-after(w.t):
		w.t.Fatal("no answer")
	}
	return outcome{}
}
