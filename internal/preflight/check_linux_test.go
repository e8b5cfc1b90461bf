package preflight

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// machine is a healthy one; tests change some of its files.
var machine = map[string]string{
	"proc/sys/kernel/osrelease":                   "6.1.0-18-amd64\n",
	"proc/self/limits":                            limits("1024", "1048576"),
	"proc/sys/fs/nr_open":                         "1048576\n",
	"proc/sys/fs/file-max":                        "9223372036854775807\n",
	"proc/sys/fs/file-nr":                         "1000\t0\t9223372036854775807\n",
	"proc/sys/net/core/somaxconn":                 "4096\n",
	"proc/sys/net/ipv4/tcp_syncookies":            "1\n",
	"proc/sys/net/ipv4/tcp_max_syn_backlog":       "128\n",
	"proc/sys/net/ipv4/ip_local_port_range":       "32768\t60999\n",
	"proc/sys/net/ipv4/ip_local_reserved_ports":   "\n",
	"proc/sys/net/netfilter/nf_conntrack_max":     "262144\n",
	"proc/sys/net/netfilter/nf_conntrack_count":   "12\n",
	"proc/meminfo":                                "MemTotal:        8000000 kB\nMemFree:   100 kB\n",
	"proc/self/cgroup":                            "0::/system.slice/chat.service\n",
	"sys/fs/cgroup/system.slice/memory.max":       "max\n",
	"sys/fs/cgroup/system.slice/chat.service/x":   "",
	"sys/fs/cgroup/system.slice/chat.service/cpu": "",
	"etc/localtime":                               "TZif",
}

func limits(soft, hard string) string {
	return "Limit                     Soft Limit           Hard Limit           Units\n" +
		"Max processes             31204                31204                processes\n" +
		"Max open files            " + soft + "                 " + hard + "              files\n"
}

// tree writes files, those of changes instead of the machine's; "-" leaves one out.
func tree(t *testing.T, changes map[string]string) string {
	t.Helper()
	files := maps.Clone(machine)
	maps.Copy(files, changes)
	root := t.TempDir()
	for name, text := range files {
		if text == "-" {
			continue
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func unsetenv(t *testing.T, name string) {
	t.Setenv(name, "")
	os.Unsetenv(name)
}

func TestHealthyMachine(t *testing.T) {
	unsetenv(t, "TZ")
	unsetenv(t, "GOMEMLIMIT")
	list := Check(Options{Root: tree(t, nil)})
	if len(list) < 9 {
		t.Errorf("%d findings", len(list))
	}
	for _, f := range list {
		if f.Level != OK || f.Advice != "" || f.Text == "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestMachinesInTrouble(t *testing.T) {
	unsetenv(t, "GOMEMLIMIT")
	const group = "sys/fs/cgroup/system.slice/chat.service/"
	type files map[string]string
	for _, test := range []struct {
		files   files
		options Options
		tz      string
		level   Level
		subject string
		text    string // part of it
		advice  string
	}{
		{files: files{"proc/sys/kernel/osrelease": "4.4.0"}, level: Warning, subject: "kernel", text: "EPOLLEXCLUSIVE", advice: "4.5"},
		{files: files{"proc/sys/kernel/osrelease": "-"}, level: Advice, subject: "kernel", text: "unknown"},

		{files: files{"proc/self/limits": limits("1024", "4096")}, level: Warning, subject: "open files", text: "may open 4096, and needs 10200", advice: "LimitNOFILE=16384"},
		{files: files{"proc/self/limits": limits("64", "128")}, level: Error, subject: "open files", text: "may open 128"},
		{files: files{"proc/self/limits": limits("1024", "unlimited")}, level: OK, subject: "open files"},
		{files: files{"proc/self/limits": limits("1024", "524288"), "proc/sys/fs/nr_open": "1048576"}, options: Options{Connections: 2000000}, level: Warning, subject: "open files", advice: "first sysctl fs.nr_open=2097152"},
		{files: files{"proc/self/limits": "-"}, level: Advice, subject: "open files", text: "unknown"},
		{files: files{"proc/sys/fs/file-max": "20000"}, options: Options{Processes: 2}, level: Warning, subject: "open files in all", text: "would need 21400", advice: "fs.file-max=32768"},

		{files: files{"proc/sys/net/core/somaxconn": "128"}, level: Advice, subject: "waiting clients", text: "128", advice: "somaxconn=4096"},
		{files: files{"proc/sys/net/ipv4/tcp_syncookies": "0"}, level: Advice, subject: "waiting clients", text: "no SYN cookies", advice: "tcp_syncookies=1"},
		{files: files{"proc/sys/net/ipv4/ip_local_port_range": "50000 60000"}, level: Advice, subject: "ports of clients", text: "10001", advice: "ip_local_port_range"},
		{files: files{}, options: Options{Running: true, Listen: []Listener{{"chat", addr("tcp", "127.0.0.1:40000")}}}, level: Advice, subject: "ports of clients", text: `port 40000 of worker "chat"`, advice: "ip_local_reserved_ports=40000"},
		{files: files{"proc/sys/net/netfilter/nf_conntrack_count": "250000"}, level: Warning, subject: "connection tracking", text: "250000 of 262144", advice: "nf_conntrack_max=524288"},
		{files: files{"proc/sys/net/netfilter/nf_conntrack_max": "4096"}, options: Options{Processes: 3}, level: Warning, subject: "connection tracking", text: "remembers 4096 connections, 30000 are wanted"},

		{files: files{"proc/meminfo": "MemTotal: 100000 kB\n"}, options: Options{Processes: 2}, level: Warning, subject: "memory", text: "the machine has 97 MiB, and 2 processes"},
		{files: files{group + "memory.max": "134217728"}, options: Options{Connections: 1000}, level: Advice, subject: "memory", text: "the control group has 128 MiB", advice: "GOMEMLIMIT=115MiB"},
		{files: files{"sys/fs/cgroup/system.slice/memory.max": "67108864"}, level: Warning, subject: "memory", text: "the control group has 64 MiB"},
		{files: files{"proc/self/cgroup": "5:cpu,cpuacct:/a\n3:memory:/a/b\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "67108864", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, level: Warning, subject: "memory", text: "has 64 MiB"},
		{files: files{group + "cpu.max": "50000 100000"}, options: Options{Processes: 3}, level: Advice, subject: "processors", text: "the control group has the time of 0.5, and 3 processes"},
		{files: files{group + "cpu.max": "max 100000"}, level: OK, subject: "processors", text: "the machine has"},
		{files: files{"proc/self/cgroup": "5:cpu,cpuacct:/a\n", "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "25000", "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000"}, level: OK, subject: "processors", text: "time of 0.25"},

		{files: files{"etc/localtime": "-"}, level: Advice, subject: "time zone", text: "UTC"},
		{tz: "No/Such", level: Warning, subject: "time zone", text: `TZ is "No/Such"`, advice: "tzdata"},
	} {
		if test.tz == "" {
			unsetenv(t, "TZ")
		} else {
			t.Setenv("TZ", test.tz)
		}
		o := test.options
		o.Root = tree(t, test.files)
		expect(t, Check(o), test.level, test.subject, test.text, test.advice)
	}
}

// expect wants a finding of that kind in the list.
func expect(t *testing.T, list []Finding, level Level, subject, text, advice string) {
	t.Helper()
	for _, f := range list {
		if f.Level == level && f.Subject == subject && strings.Contains(f.Text, text) && strings.Contains(f.Advice, advice) {
			return
		}
	}
	t.Errorf("no %s about %s with %q -> %q in %+v", level, subject, text, advice, list)
}

func TestReservedPorts(t *testing.T) {
	for list, want := range map[string]bool{
		"": false, "40000": true, "1,40000,9": true, "39000-41000": true, "40001-41000": false, "x,40000-": false, "5-x,40000": true,
	} {
		if got := inRanges(list, 40000); got != want {
			t.Errorf("%q: %v", list, got)
		}
	}
}

// What the kernel writes never stops a check.
func FuzzCheck(f *testing.F) {
	f.Add("", "0::/")
	f.Add("5 6", "0::/../..\n3:memory,cpu:/x\n")
	f.Add("Max open files ", ":::")
	f.Fuzz(func(t *testing.T, numbers, cgroup string) {
		files := make(map[string]string)
		for name := range machine {
			files[name] = numbers
		}
		files["proc/self/cgroup"] = cgroup
		for _, finding := range Check(Options{Root: tree(t, files)}) {
			if finding.Text == "" {
				t.Errorf("%+v", finding)
			}
		}
	})
}
