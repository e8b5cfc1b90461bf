package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// nginxStreamConf is nginx as a proxy of bytes, with its default buffers. The arguments are
// the directory of the run, the most connections, the port, and the server behind.
const nginxStreamConf = `%[5]sdaemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile %[2]d;
events { worker_connections %[2]d; }
stream {
	server {
		listen 127.0.0.1:%[3]d backlog=4096;
		proxy_pass %[4]s;
	}
}
`

// nginxStreamModule is where Debian has the module that nginx needs for it.
const nginxStreamModule = "/usr/lib/nginx/modules/ngx_stream_module.so"

// haproxyConf is HAProxy as a proxy of bytes, on one thread. The arguments are the most
// connections, the port, the server behind, and more options.
const haproxyConf = `global
	maxconn %[1]d
	nbthread 1
defaults
	mode tcp
	timeout connect 5s
	timeout client 1h
	timeout server 1h
listen proxy
	bind 127.0.0.1:%[2]d
%[4]s	server behind %[3]s
`

// proxyConns are the connections that proxies are told to be ready for.
const proxyConns = 4096

// startProxy starts a proxy and an echo behind it, on the client's CPU: what that costs is not
// the proxy's.
func (r *runner) startProxy(ctx context.Context, engine string, l load) (*process, string, error) {
	back := load{Network: "tcp", Task: echoTask, Size: l.Size}
	behind, to, err := listening(startProcess(ctx, r.cpus.client, append([]string{r.self, "server", "-engine", "net",
		"-buffer", strconv.Itoa(64 << 10)}, back.args()...)))
	if err != nil {
		return nil, "", err
	}
	p, addr, err := r.startProxyTo(ctx, engine, l, to)
	if err != nil {
		behind.stop()
		return nil, "", err
	}
	p.behind = behind
	return p, addr, nil
}

func (r *runner) startProxyTo(ctx context.Context, engine string, l load, to string) (*process, string, error) {
	if isGo(engine) {
		return listening(startProcess(ctx, r.cpus.server, append([]string{r.self, "server", "-engine", engine, "-to", to}, l.args()...)))
	}
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	conf := filepath.Join(r.dir, engine+"-proxy.conf")
	var text string
	var argv []string
	if engine == "nginx" {
		module := ""
		if _, err := os.Stat(nginxStreamModule); err == nil {
			module = "load_module " + nginxStreamModule + ";\n"
		}
		text = fmt.Sprintf(nginxStreamConf, r.dir, proxyConns, port, to, module)
		argv = []string{r.nginx, "-p", r.dir, "-c", conf, "-e", "stderr"}
	} else {
		options := ""
		if strings.HasSuffix(engine, "-splice") {
			options = "\toption splice-auto\n"
		}
		text = fmt.Sprintf(haproxyConf, proxyConns, port, to, options)
		argv = []string{r.haproxy, "-db", "-q", "-f", conf}
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, "", err
	}
	p, err := startProcess(ctx, r.cpus.server, argv)
	if err != nil {
		return nil, "", err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	if err := awaitListener(ctx, addr); err != nil {
		p.stop()
		return nil, "", fmt.Errorf("%s: %w: %s", engine, err, p.stderr.String())
	}
	return p, addr, nil
}
