// Https serves a page over TLS. The certificate may change while it runs: the files are read
// again when they have been renewed. Without files it signs one itself, for a trial.
//
//	go run ./examples/https
//	curl -k https://127.0.0.1:8443                             # trust anybody
//	curl --cacert /tmp/workerman-self-signed.pem https://127.0.0.1:8443
//	curl -kL http://127.0.0.1:8085                             # is sent on to https
//
// With a certificate of your own, which certbot or another program renews:
//
//	go run ./examples/https -listen https://0.0.0.0:443 -redirect http://0.0.0.0:80 -cert fullchain.pem -key privkey.pem
//
// Or watch a renewal: the certificate made here changes every 40 seconds.
//
//	go run ./examples/https -valid 1m
//	curl -kv https://127.0.0.1:8443 2>&1 | grep expire
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/examples/internal/selfsigned"
	"github.com/workerman-go/workerman/web"
)

func main() {
	listen := flag.String("listen", "https://127.0.0.1:8443", "`https://ADDR` to serve on")
	redirect := flag.String("redirect", "http://127.0.0.1:8085", "`http://ADDR` from which browsers are sent to https; empty for none")
	cert := flag.String("cert", "", "PEM `file` with the certificate and the intermediate ones; empty to sign one")
	key := flag.String("key", "", "PEM `file` with the private key, if it is not in the same")
	own := flag.String("self-signed", filepath.Join(os.TempDir(), "workerman-self-signed.pem"), "`file` where a certificate signed here is kept")
	valid := flag.Duration("valid", 90*24*time.Hour, "`duration` for which it is good; after two thirds there is a new one")
	flag.Parse()
	if *cert == "" {
		*cert = *own
		keepCertificate(*own, *valid)
	}

	w := workerman.NewWorker(*listen)
	w.Name = "https"
	w.TLS = workerman.ServerTLS{CertFile: *cert, KeyFile: *key}
	w.OnRequest = func(c *workerman.Conn, _ *web.Request) {
		c.Respond(web.Text(describe(c.TLSState())))
	}
	if *redirect != "" {
		sendOn(workerman.NewWorker(*redirect), w)
	}
	workerman.RunAll()
}

// keepCertificate makes a certificate and renews it in time. The worker only has to be told
// the file: it notices by itself.
func keepCertificate(path string, valid time.Duration) {
	if err := selfsigned.Keep(path, valid); err != nil {
		log.Fatal(err)
	}
	workerman.AddTimer(valid/10, func() {
		if err := selfsigned.Keep(path, valid); err != nil {
			log.Print(err)
		}
	})
}

// describe says how a connection is encrypted.
func describe(s *tls.ConnectionState) string {
	again := "a full handshake"
	if s.DidResume {
		again = "the session of an earlier connection"
	}
	return fmt.Sprintf("%s with %s, by %s\n", tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite), again)
}
