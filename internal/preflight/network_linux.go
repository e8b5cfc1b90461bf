package preflight

import (
	"fmt"
	"strconv"
	"strings"
)

// minBacklog is how many clients should be able to wait for accept: while processes are busy or
// replaced, more are refused or try again a second later.
const minBacklog = 1024

func (c *check) backlog() {
	const subject = "waiting clients"
	max, ok := c.number("proc/sys/net/core/somaxconn")
	if !ok {
		return
	}
	if max < minBacklog {
		c.found(Advice, subject, fmt.Sprintf("%d clients may wait to be accepted; a burst of more is delayed by seconds", max), "sysctl net.core.somaxconn=4096")
	} else {
		c.ok(subject, "%d may wait to be accepted", max)
	}
	cookies, known := c.number("proc/sys/net/ipv4/tcp_syncookies")
	half, ok := c.number("proc/sys/net/ipv4/tcp_max_syn_backlog")
	if ok && known && cookies == 0 && half < minBacklog {
		c.found(Advice, subject, fmt.Sprintf("%d half-open connections and no SYN cookies: a flood of them locks clients out", half), "sysctl net.ipv4.tcp_syncookies=1")
	}
}

// portRange looks at the ports that outgoing connections take.
func (c *check) portRange() {
	const subject = "ports of clients"
	r := c.numbers("proc/sys/net/ipv4/ip_local_port_range")
	if len(r) != 2 || r[0] > r[1] {
		return
	}
	if n := r[1] - r[0] + 1; n < 16384 {
		c.found(Advice, subject, fmt.Sprintf("%d: that many connections to one address at a time", n), `sysctl net.ipv4.ip_local_port_range="32768 60999"`)
	} else {
		c.ok(subject, "%d to %d", r[0], r[1])
	}
	reserved := c.read("proc/sys/net/ipv4/ip_local_reserved_ports")
	for _, l := range c.Listen {
		port := uint64(l.Address.Port)
		if l.Address.Network == "unix" || port < r[0] || port > r[1] || inRanges(reserved, port) {
			continue
		}
		c.found(Advice, subject, fmt.Sprintf("port %d of worker %q is among them: while the service does not run, any client may take it", port, l.Worker),
			fmt.Sprintf("another port, or sysctl net.ipv4.ip_local_reserved_ports=%d", port))
	}
}

// inRanges reports whether a list as 8080,9000-9010 holds a port.
func inRanges(list string, port uint64) bool {
	for item := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(item), "-")
		from, err := strconv.ParseUint(first, 10, 16)
		if err != nil {
			continue
		}
		to := from
		if isRange {
			if to, err = strconv.ParseUint(last, 10, 16); err != nil {
				continue
			}
		}
		if port >= from && port <= to {
			return true
		}
	}
	return false
}

// conntrack looks at the table of a stateful firewall: what finds it full is dropped.
func (c *check) conntrack() {
	const subject = "connection tracking"
	limit, ok := c.number("proc/sys/net/netfilter/nf_conntrack_max")
	if !ok {
		return // not loaded
	}
	count, _ := c.number("proc/sys/net/netfilter/nf_conntrack_count")
	need := uint64(c.Connections) * uint64(c.Processes)
	switch {
	case count > limit/10*9:
		c.found(Warning, subject, fmt.Sprintf("%d of %d entries are in use: when it is full, packets of new connections are dropped", count, limit), fmt.Sprintf("sysctl net.netfilter.nf_conntrack_max=%d", rounded(2*limit)))
	case limit < need:
		c.found(Warning, subject, fmt.Sprintf("the firewall remembers %d connections, %d are wanted: packets of more are dropped", limit, need), fmt.Sprintf("sysctl net.netfilter.nf_conntrack_max=%d", rounded(2*need)))
	default:
		c.ok(subject, "%d of %d entries in use", count, limit)
	}
}
