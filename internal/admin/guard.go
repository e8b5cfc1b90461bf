package admin

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard lets only those requests through that read, and that no foreign page in a browser
// has made: such a page could not see the answer, but have processes profiled.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "these pages only read: GET or HEAD", http.StatusMethodNotAllowed)
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			if r.URL.Path != "/" || r.Header.Get("Sec-Fetch-Dest") != "document" { // a link to the dashboard
				http.Error(w, "requests of other sites are refused", http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// contentPolicy lets a page have nothing but files of this server.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// local lets only those requests through that name this machine, or the host that the
// address was configured with. Without that a foreign page could have its own name resolved
// to 127.0.0.1 and read everything (DNS rebinding).
func local(host string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !namesLocal(r.Host, host) {
			http.Error(w, "the Host of the request is not this machine: use localhost or 127.0.0.1", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// namesLocal reports whether the host of a request, with or without port, is a loopback
// address, localhost or the configured host. Health checks of HTTP/1.0 have none, browsers
// always do.
func namesLocal(requested, configured string) bool {
	if requested == "" {
		return true
	}
	host := requested
	if h, _, err := net.SplitHostPort(requested); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost") || host != "" && strings.EqualFold(host, configured)
}
