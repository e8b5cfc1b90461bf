package examples

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workerman-go/workerman/examples/internal/selfsigned"
)

// trust is a configuration of TLS for clients that trust what is in a file.
func trust(t *testing.T, path string) *tls.Config {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s holds no certificate", path)
	}
	return &tls.Config{RootCAs: pool, ServerName: "localhost"}
}

// askSecurely sends a GET over a connection of its own.
func askSecurely(t *testing.T, url string, config *tls.Config) page {
	t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: config}}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return page{Response: answer}
}

func TestHTTPS(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		pair := filepath.Join(t.TempDir(), "pair.pem")
		p := start(t, engine, "https", "-listen", "https://"+anyPort, "-redirect", "http://"+anyPort, "-self-signed", pair)
		at := p.addresses(2)
		url := "https://" + at[0]
		if got := askSecurely(t, url, trust(t, pair)); got.StatusCode != 200 {
			t.Error(got.Status)
		}
		if got := curl(t, "--cacert", pair, url); !strings.HasPrefix(got, "TLS 1.3 with TLS_") || !strings.HasSuffix(got, "by a full handshake\n") {
			t.Errorf("curl: %q", got)
		}
		got := ask(t, "GET", "http://"+at[1]+"/a%20b?c=d", "")
		if want := url + "/a%20b?c=d"; got.StatusCode != 308 || got.Header.Get("Location") != want {
			t.Errorf("%s to %q, want %q", got.Status, got.Header.Get("Location"), want)
		}
		if got := curl(t, "--cacert", pair, "-L", "http://"+at[1]); !strings.HasPrefix(got, "TLS 1.3") {
			t.Errorf("curl -L: %q", got)
		}
		p.endsWell(syscall.SIGTERM)
		start(t, engine, "https", "-cert", pair+".none").refuses(pair + ".none")
	})
}

// The program renews its certificate, and the server takes it up between two connections. It
// looks for one every 10 seconds at most, so this takes as long.
func TestHTTPSRenewal(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 10 seconds")
	}
	onEveryEngine(t, func(t *testing.T, engine string) {
		pair := filepath.Join(t.TempDir(), "pair.pem")
		p := start(t, engine, "https", "-listen", "https://"+anyPort, "-redirect", "", "-self-signed", pair, "-valid", "6s")
		url := "https://" + p.address()
		serial := func() string {
			state := askSecurely(t, url, &tls.Config{InsecureSkipVerify: true}).TLS
			return state.PeerCertificates[0].SerialNumber.String()
		}
		first := serial()
		for limit := time.Now().Add(3 * patience); serial() == first; time.Sleep(200 * time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatal("the certificate stays the same")
			}
		}
		p.says("TLS files renewed")
	})
}

func TestWSS(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		pair := filepath.Join(t.TempDir(), "pair.pem")
		p := start(t, engine, "wss", "-listen", "wss://"+anyPort, "-self-signed", pair)
		a, b := openSecureSocket(t, p.address(), trust(t, pair)), openSecureSocket(t, p.address(), trust(t, pair))
		for _, text := range []string{"hello", strings.Repeat("long ", 20000)} {
			a.says(text)
			a.hears(text)
			b.hears(text)
		}
		p.endsWell(syscall.SIGTERM)
	})
}

func TestWebappOverTLS(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		pair := filepath.Join(t.TempDir(), "pair.pem")
		if err := selfsigned.Keep(pair, time.Hour); err != nil {
			t.Fatal(err)
		}
		content := random(3<<20, 9)
		_, address := startWebapp(t, engine, "-cert", pair, "-key", pair, "-file", writeFile(t, "data.bin", content))
		url := strings.Replace(address, "http:", "https:", 1)
		if got := curl(t, "--cacert", pair, url+"/plaintext"); got != "Hello, World!" {
			t.Errorf("plaintext: %q", got)
		}
		if got := curl(t, "--cacert", pair, url+"/file"); got != string(content) {
			t.Errorf("%d bytes of the file, want %d", len(got), len(content))
		}
		if got := curl(t, "--cacert", pair, url+"/chunked"); strings.Count(got, "chunk-") != 10 {
			t.Errorf("chunked: %q", got)
		}
		large := writeFile(t, "large.bin", random(2<<20, 4))
		if got := curl(t, "--cacert", pair, "-F", "f=@"+large, url+"/form"); !strings.Contains(got, fmt.Sprintf(`"size":%d`, 2<<20)) {
			t.Errorf("form: %s", got)
		}
	})
}
