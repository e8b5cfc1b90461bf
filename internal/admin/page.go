package admin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"
)

//go:embed web
var web embed.FS

// pageFiles are what the dashboard consists of, besides its page.
var pageFiles = []string{"style.css", "icon.svg", "dashboard.js", "history.js", "chart.js", "sheet.js", "format.js"}

// mediaTypes are said here, as those of the machine may be anything.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// page serves a file of the dashboard. Browsers ask each time whether it has changed, as it
// does with a new version of the service.
func page(name string) http.HandlerFunc {
	content, err := web.ReadFile("web/" + name)
	if err != nil {
		return http.NotFound
	}
	kind := mediaTypes[path.Ext(name)]
	digest := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(digest[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("ETag", tag)
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	}
}
