package workerman

import (
	"context"
	"log/slog"
	"time"

	"github.com/workerman-go/workerman/web"
)

// accessRecord is what the access log says about a request, kept until its answer.
type accessRecord struct {
	to     *slog.Logger
	began  time.Time
	method string
	target string
	agent  string
}

// newRecord notes a request, nil if there is no access log.
func (s *service) newRecord(r *web.Request) *accessRecord {
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
