#!/usr/bin/env bash
# Tests the servers against programs that others wrote: curl, wrk, h2load, nginx, haproxy,
# OpenSSL, the module ws of Node.js; the clients against such servers; and against abuse. See the package interop.
#
#   scripts/interop.sh                  everything, a minute
#   scripts/interop.sh -run Nginx -v    the same with flags of go test
#
# What is missing is installed if that is possible (Debian, as root; ws by npm, into a
# temporary folder). Otherwise the tests that need it are skipped, or fail if CI=true.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C
command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
PATH=$PATH:/usr/sbin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A test has 5000 slow clients, and both ends of them in one process.
ulimit -n 20000 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

# Programs, each with the Debian package that it is in.
readonly programs=(curl:curl wrk:wrk h2load:nghttp2-client nginx:nginx haproxy:haproxy openssl:openssl node:nodejs npm:npm
	ncat:ncat socat:socat microsocks:microsocks tinyproxy:tinyproxy-bin mosquitto:mosquitto dnsmasq:dnsmasq-base)

packages=()
for p in "${programs[@]}"; do
	command -v "${p%:*}" >/dev/null || packages+=("${p#*:}")
done
if command -v apt-get >/dev/null && ! dpkg -s libnginx-mod-stream >/dev/null 2>&1; then
	packages+=(libnginx-mod-stream)
fi
if ((${#packages[@]})); then
	if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
		echo "installing ${packages[*]}"
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
			echo "that failed; tests that need them are skipped"
	else
		echo "not installed: ${packages[*]}"
	fi
fi
if ! node -e 'require("ws")' 2>/dev/null && command -v npm >/dev/null; then
	npm install --silent --no-save --no-audit --no-fund --prefix "$scratch" ws@8 ||
		echo "npm cannot install ws; tests that need it are skipped"
	export NODE_PATH=$scratch/node_modules
fi

export INTEROP=yes
[[ ${CI:-} != true ]] || INTEROP=strict
go test -count=1 -timeout 10m "$@" ./interop/...
