package main

import "slices"

// enginesOf are the engines that speak a protocol, in the order of the report:
// the floor, this framework, the others.
var enginesOf = map[string][]string{
	"tcp":   {"c", "workerman", "gnet", "nbio", "evio", "net"},
	"udp":   {"c", "workerman", "gnet", "nbio", "evio", "net"},
	"proxy": {"workerman", "net", "net-copy", "nginx", "haproxy", "haproxy-splice"},
	"http":  {"c", "workerman", "workerman-send", "workerman-handler", "gnet", "nbio", "fasthttp", "nginx", "net"},
	"https": {"workerman", "workerman-handler", "nbio", "fasthttp", "nginx", "net"},
	"ws":    {"c", "workerman", "nbio", "gws", "gorilla", "coder", "gobwas"},
	"wss":   {"workerman", "nbio", "gws", "gorilla"},
}

// can reports whether an engine that speaks the protocol also does the rest.
func (l load) can(engine string) bool {
	switch {
	case l.Deflate:
		return engine != "c"
	case l.http() && l.Task == echoTask:
		// These answer what they have prepared, or files, and look at no body.
		return !slices.Contains([]string{"workerman-send", "gnet", "nginx"}, engine)
	}
	return true
}

// engines are those of a load that are among the wanted ones.
func (l load) engines(wanted []string) []string {
	var out []string
	for _, e := range enginesOf[l.Network] {
		if l.can(e) && slices.Contains(wanted, e) {
			out = append(out, e)
		}
	}
	return out
}

// allEngines are the names that -engines knows.
var allEngines = func() []string {
	var all []string
	for _, network := range []string{"tcp", "http", "ws", "proxy"} {
		for _, e := range enginesOf[network] {
			if !slices.Contains(all, e) {
				all = append(all, e)
			}
		}
	}
	return all
}()

// peer is the engine that the others are compared with in a second column of
// ratios, beside the floor.
func (l load) peer() string {
	switch l.Network {
	case "proxy":
		return "nginx"
	case "http":
		return "fasthttp"
	case "https":
		return "net"
	case "ws", "wss":
		return "gws"
	}
	return "gnet"
}

// isGo reports whether an engine's server is this program.
func isGo(engine string) bool {
	return !slices.Contains([]string{"c", "nginx", "haproxy", "haproxy-splice"}, engine)
}

// cipher is the suite of TLS 1.3 that an engine uses with this client. The TLS of nbio does
// not see that the processor has instructions for AES.
func cipher(engine string) string {
	if engine == "nbio" {
		return "TLS_CHACHA20_POLY1305_SHA256"
	}
	return "TLS_AES_128_GCM_SHA256"
}
