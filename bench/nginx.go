package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// nginxConf serves the page from one process, without a log. The arguments are the
// directory of the run, the most connections, the port, and " ssl" or nothing.
const nginxConf = `daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile %[2]d;
events { worker_connections %[2]d; }
http {
	access_log off;
	server_tokens off;
	keepalive_requests 1000000000;
	keepalive_timeout 1h;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	ssl_certificate %[1]s/cert.pem;
	ssl_certificate_key %[1]s/key.pem;
	ssl_protocols TLSv1.3;
	ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
	server {
		listen 127.0.0.1:%[3]d%[4]s backlog=4096;
		default_type text/plain;
		location / { return 200 "` + page + `"; }
	}
}
`

// startNginx starts nginx. It takes no port from the kernel, so it gets one that was
// free a moment ago.
func (r *runner) startNginx(ctx context.Context, l load) (*process, string, error) {
	limit, err := raiseFileLimit()
	if err != nil {
		return nil, "", err
	}
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	var ssl string
	if l.tls() {
		ssl = " ssl"
	}
	conf := filepath.Join(r.dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, r.dir, limit, port, ssl), 0o600); err != nil {
		return nil, "", err
	}
	p, err := startProcess(ctx, r.cpus.server, []string{r.nginx, "-p", r.dir, "-c", conf, "-e", "stderr"})
	if err != nil {
		return nil, "", err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	if err := awaitListener(ctx, addr); err != nil {
		p.stop()
		return nil, "", fmt.Errorf("nginx: %w: %s", err, p.stderr.String())
	}
	return p, addr, nil
}

func freePort() (int, error) {
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// awaitListener returns when somebody accepts connections there. nginx does not
// say when it is ready.
func awaitListener(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, stallLimit)
	defer cancel()
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-retry.C:
		}
	}
}
