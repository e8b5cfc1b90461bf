#!/usr/bin/env bash
# Besieges a program in full size and prints what its clients noticed: reloads under 10 000
# WebSockets, requests and newcomers; recycling; wrk at full speed; a minute of killed
# processes; killed masters; commands among 100 000 connections. Four minutes on two cores.
#
#   scripts/siege.sh                     everything
#   scripts/siege.sh -run SiegeByReloads one of them: -run takes what go test takes
#   scripts/siege.sh -race               with the race detector, in clients and servers
#
# Each line of numbers is followed by the times that clients waited for an answer: of the
# longest wait of each client, half were shorter than p50. A fault, be it one refused
# connection or one lost message, makes it fail. The small form of the sieges is part of the
# tests: go test ./operation
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C
command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin

# 10 000 clients are in one process; 100 000 connections are spread over several, of at
# most 15 000.
ulimit -n "$(ulimit -Hn)"
if (($(ulimit -n) != 0 && $(ulimit -n) < 16000)); then
	echo "the hard limit of open files, $(ulimit -Hn), is below 16000: raise it first" >&2
	exit 1
fi
command -v wrk >/dev/null || echo "wrk is not installed: its siege is skipped"

run='Siege|KillStorm|MasterKilledUnderLoad|VeryMany|StartRace|DeathsDuring'
args=()
while (($#)); do
	case $1 in
	-run | --run) run=$2 && shift 2 ;;
	-h | -help | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" && exit 0 ;;
	*) args+=("$1") && shift ;;
	esac
done

echo "$(uname -sr), $(nproc) CPUs, $(go version | cut -d' ' -f3), load $(cut -d' ' -f1-3 /proc/loadavg)"
go test -count=1 -timeout 30m -v "${args[@]}" -run "$run" ./operation -full
