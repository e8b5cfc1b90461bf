package workerman

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/workerman-go/workerman/internal/handover"
	"github.com/workerman-go/workerman/internal/nethttp"
	"github.com/workerman-go/workerman/web"
)

// httpType describes the dialog of an http:// worker.
func httpType() dialogType {
	return dialogType{
		schemes: []string{"http"}, secure: []string{"https"}, overHTTP: true,
		prepare: prepareHTTP,
		check:   checkHandler,
		advice: func(s *server) string {
			if s.http.server == nil && s.callbacks.OnRequest == nil {
				return "without OnRequest or Handle every request is answered by 404"
			}
			return ""
		},
		begin:     beginHTTP,
		language:  handover.HTTP,
		languages: []handover.Language{handover.HTTP, handover.WebSocket},
		restore:   restoreHTTP,
		noClient:  "a Client speaks no HTTP: use net/http, or ws:// for a WebSocket",
	}
}

// httpSettings is what the connections of a worker need to speak HTTP, with defaults filled in.
type httpSettings struct {
	options   web.Options
	keepAlive time.Duration
	accessLog *slog.Logger // nil: none
	proxies   web.Proxies
	server    *http.Server // its Handler serves the requests; nil if callbacks do
	handler   nethttp.Options
	loops     []httpLoop // beside the loops of the worker

	misplacedAnswer atomic.Bool // an answer outside of OnRequest was logged
}

// httpLoop is what the connections of a worker on one loop share.
type httpLoop struct {
	request web.Request // memory for requests: the loop reads one at a time
	date    atomic.Pointer[dateLine]
}

// httpLoop is that of the connection's loop.
func (c *Conn) httpLoop() *httpLoop {
	s := c.settings
	return &s.http.loops[slices.Index(s.server.loops, c.stream.Loop())]
}

const (
	defaultHeaderTimeout = 20 * time.Second
	defaultBodyTimeout   = time.Minute
)

// prepareHTTP checks and copies what a worker says about HTTP.
func prepareHTTP(s *server, w *Worker) error {
	h := &httpSettings{options: w.HTTP, keepAlive: s.limits.IdleTimeout, accessLog: w.AccessLog, proxies: w.TrustedProxies}
	o := &h.options
	for _, v := range []struct {
		name  string
		value time.Duration
	}{{"HTTP.HeaderTimeout", o.HeaderTimeout}, {"HTTP.BodyTimeout", o.BodyTimeout}} {
		if v.value < 0 {
			return fmt.Errorf("%s is negative", v.name)
		}
	}
	setDefault(&o.MaxBody, int64(s.limits.MaxPackageSize))
	setDefault(&o.HeaderTimeout, defaultHeaderTimeout)
	setDefault(&o.BodyTimeout, defaultBodyTimeout)
	o.Uploads = o.Body == web.Collect
	setDefault(&h.keepAlive, DefaultKeepAlive)
	s.http = h
	return nil
}

// accessRecord is what the access log says about a request, kept until its answer.
type accessRecord struct {
	to     *slog.Logger
	began  time.Time
	method string
	target string
	agent  string
}

// newRecord notes a request, nil if there is no access log.
func (s *httpSettings) newRecord(r *web.Request) *accessRecord {
	if s.accessLog == nil {
		return nil
	}
	return &accessRecord{s.accessLog, time.Now(), r.Method(), r.Target(), r.Header("User-Agent")}
}

// log writes the line of a request that has got its answer, with size bytes of body.
func (a *accessRecord) log(c *Conn, status int, size int64) {
	setDefault(&status, 200)
	a.to.LogAttrs(context.Background(), slog.LevelInfo, "request",
		slog.String("peer", c.peer()), slog.String("method", a.method), slog.String("target", a.target),
		slog.Int("status", status), slog.Int64("bytes", size), slog.Duration("took", time.Since(a.began)),
		slog.String("agent", a.agent))
}
