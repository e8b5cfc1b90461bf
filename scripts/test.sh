#!/usr/bin/env bash
# Checks everything: format, rules of the source, vet, builds for other systems, static
# analysis, tests with the race detector, the asserted numbers, conversations with programs
# that others wrote, a browser, coverage, fuzzing, the benchmark and the links in the
# documents. It runs every step, sums up at the end and fails if one failed.
#
#   scripts/test.sh          everything: fifteen minutes on two cores, more the first time
#   scripts/test.sh -short   without fuzzing and coverage
#
# Tools that are missing are installed if that is possible (Debian, as root). Otherwise
# the step that needs them is skipped, or fails if CI=true.
set -euo pipefail

readonly staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
readonly min_coverage=85 # percent, of each package
# What a process did that was killed, as many are for the tests of internal/serve, counts nowhere.
readonly min_coverage_serve=80
readonly fuzz_time=6s    # for each fuzz target
readonly numbers='^Test(SyscallsPerMessage|NoAllocationsPerMessage|MemoryPerIdleConnection|MemoryPerIdleTLSConnection|SyscallsPerTLSMessage|MemoryPerIdleClient)$'
# Modules of their own, whose dependencies are none of the library's.
readonly modules=(filemonitor session/redis websocket/interop internal/proxyproto/interop examples/ginapp)
# Those that programs import: they build for every system and are analysed, as the library is.
readonly imported=(. filemonitor session/redis)
readonly skipped=75 # exit status of a step that could not run

usage() { sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; }

short=false
for arg in "$@"; do
	case $arg in
	-short | --short) short=true ;;
	-h | -help | --help) usage && exit 0 ;;
	*) echo "unknown argument $arg" >&2 && usage >&2 && exit 2 ;;
	esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C
command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || { echo "Go is not installed: https://go.dev/dl" >&2 && exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The memory test opens 18 000 connections.
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

summary=()
failed=0

# step NAME COMMAND... runs a command and notes how it went.
step() {
	local name=$1 start=$SECONDS status
	shift
	printf '\n=== %s\n' "$name"
	set +e
	(set -e && "$@")
	status=$?
	set -e
	local word=ok
	case $status in
	0) ;;
	"$skipped") word=skipped ;;
	*) word=FAILED && failed=1 ;;
	esac
	summary+=("$(printf '%-8s %5ds  %s' "$word" $((SECONDS - start)) "$name")")
	printf -- '--- %s: %s, %d s\n' "$name" "$word" $((SECONDS - start))
}

# missing REASON ends a step whose tool is not there.
missing() {
	echo "$1"
	if [[ ${CI:-} == true ]]; then
		echo "with CI=true that is a failure"
		exit 1
	fi
	exit $skipped
}

# need COMMAND PACKAGE... installs what a step needs, or ends it.
need() {
	local command=$1
	shift
	if command -v "$command" >/dev/null; then return; fi
	if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
		echo "installing $*"
		if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; then
			return
		fi
	fi
	missing "$command is not installed (Debian: apt-get install $*)"
}

format() {
	local files
	files=$(gofmt -l .)
	[[ -z $files ]] || { echo "not formatted by gofmt:" && echo "$files" && return 1; }
}

# rules checks how the source is arranged: imports, lengths, comments, requirements.
rules() { go test -count=1 ./internal/house; }

vet() { go vet ./...; }

elsewhere() {
	local target dir
	for target in darwin/arm64 windows/amd64 freebsd/amd64 linux/arm64; do
		for dir in "${imported[@]}"; do
			echo "$target $dir"
			(cd "$dir" && CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} go build ./...)
		done
	done
}

analyse() {
	local dir
	go run "$staticcheck" -version || missing "staticcheck cannot be fetched"
	for dir in "${imported[@]}"; do
		(cd "$dir" && go run "$staticcheck" ./...)
	done
}

# Tests of the core run on both engines inside.
race() {
	need gcc gcc libc6-dev
	need curl curl
	need openssl openssl
	need tmux tmux
	need zsh zsh
	need wrk wrk
	need systemd-analyze systemd
	CGO_ENABLED=1 go test -race -count=1 -timeout 15m ./...
}

# apart runs the tests of the modules beside the library's: of those that programs import with
# the race detector.
apart() {
	need gcc gcc libc6-dev
	need redis-server redis-server
	local dir race
	for dir in "${modules[@]}"; do
		echo "$dir"
		race=false
		if [[ " ${imported[*]} " == *" $dir "* ]]; then race=true; fi
		(cd "$dir" && { go mod download || missing "the modules of $dir cannot be fetched"; } &&
			go vet ./... && CGO_ENABLED=1 go test -race=$race -count=1 -timeout 5m ./...)
	done
}

# browser has the chat used in Chromium.
browser() {
	need chromium chromium
	cd examples/browser
	go mod download || missing "the modules of the browser's test cannot be fetched"
	go vet ./...
	go test -count=1 -timeout 5m ./...
}

# The race detector would falsify the numbers, so these tests skip themselves under it.
assert_numbers() { go test -count=1 -timeout 10m -v -run "$numbers" . ./integration/numbers; }

coverage() {
	local profile=$scratch/coverage
	local packages=(. ./internal/{loop,master,control,console,logfile,admin,serve,handover,nethttp,watch,dialer,tlsfiles,child}
		./web ./websocket ./session ./crontab ./httpclient ./command)
	# Tests of services that run lie outside of the packages.
	go test -count=1 -timeout 10m -skip "$numbers" -coverpkg="$(IFS=, && echo "${packages[*]}")" -coverprofile="$profile" \
		"${packages[@]}" ./integration/...
	# A module of its own has a profile of its own.
	(cd filemonitor && go test -count=1 -timeout 5m -coverprofile="$scratch/of-filemonitor" .)
	tail -n +2 "$scratch/of-filemonitor" >>"$profile"
	# The programs that the tests of operation start write down what they ran, too.
	mkdir "$scratch/programs"
	# Without their own package they would write nothing.
	COVER_PACKAGES=$(go list "${packages[@]}" ./operation/program | paste -sd,) GOCOVERDIR=$scratch/programs go test -count=1 -timeout 10m ./operation
	go tool covdata textfmt -i="$scratch/programs" -o="$scratch/of-programs"
	tail -n +2 "$scratch/of-programs" >>"$profile"
	# A block stands in the profile once for each test binary.
	awk -v min=$min_coverage -v min_serve=$min_coverage_serve '
		NR > 1 { statements[$1] = $2; if ($3 > 0) hit[$1] = 1 }
		END {
			for (block in statements) {
				package = block
				sub(/\/[^\/]*$/, "", package)
				all[package] += statements[block]
				if (block in hit) covered[package] += statements[block]
			}
			for (package in all) {
				percent = 100 * covered[package] / all[package]
				printf "%5.1f %% of the statements of %s\n", percent, package
				if (percent < (package ~ /internal\/serve$/ ? min_serve : min)) { low = 1 }
			}
			if (low) printf "less than %d %% (internal/serve: %d %%)\n", min, min_serve
			exit low
		}' "$profile"
}

fuzz() {
	local dirs dir targets target
	dirs=$(go list -f '{{.Dir}}' ./...)
	for dir in $dirs; do
		grep -qs '^func Fuzz' "$dir"/*_test.go || continue
		targets=$(go test -list '^Fuzz' "$dir" | sed '/^Fuzz/!d')
		for target in $targets; do
			echo "$target in .${dir#"$PWD"}"
			go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzz_time" -fuzzminimizetime 5x "$dir"
		done
	done
}

bench() {
	cd bench
	go mod download || missing "the modules of the benchmark cannot be fetched"
	go vet ./...
	go test -count=1 ./...
	[[ $(uname) == Linux ]] || return 0
	go run . -rounds 1 -seconds 0.2 -rows 'tcp-64-c100-d1$' -engines workerman,net -memory=false
}

# documents checks that what the documents point at exists.
documents() {
	local file target bad=0
	while read -r file; do
		while read -r target; do
			[[ -e $(dirname "$file")/$target ]] || { echo "$file: $target does not exist" && bad=1; }
		done < <(links "$file")
		while read -r target; do
			[[ -f $target/main.go ]] || { echo "$file: $target is no program" && bad=1; }
		done < <(grep -oE '\./examples/[a-z]+' "$file" | sort -u)
	done < <(find . -name '*.md' -not -path './.git/*')
	return $bad
}

# links FILE prints the files that a document links to, code blocks left out.
links() {
	# shellcheck disable=SC2016 # the backticks are those of Markdown
	sed '/^```/,/^```/d' "$1" | grep -oE '\]\([^)]+\)' | sed 's/^](//; s/)$//; s/#.*//' | grep -vE '^($|https?:|mailto:)' || true
}

go version
step "format" format
step "rules of the source" rules
step "vet" vet
step "build for other systems" elsewhere
step "staticcheck" analyse
step "documents" documents
step "tests with the race detector" race
step "asserted numbers" assert_numbers
step "other modules" apart
step "browser" browser
step "programs of others" bash scripts/interop.sh
if ! $short; then
	step "coverage" coverage
	step "fuzzing" fuzz
fi
step "benchmark" bench

printf '\n=== summary, %d s\n' "$SECONDS"
printf '%s\n' "${summary[@]}"
if ((failed)); then
	echo "FAILED"
	exit 1
fi
echo "ok"
