package web

import (
	"mime"
	"strings"
)

// MIMEType is the media type of a file by the extension of its name,
// "application/octet-stream" if that is not known. The common types come from a table, so
// that they are the same on every machine; the others from package mime.
func MIMEType(name string) string {
	ext := name[strings.LastIndexAny(name, "./\\")+1:]
	if len(ext) == len(name) || name[len(name)-len(ext)-1] != '.' {
		return "application/octet-stream"
	}
	ext = strings.ToLower(ext)
	if t, ok := types[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension("." + ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

var types = map[string]string{
	"7z": "application/x-7z-compressed", "aac": "audio/aac", "avi": "video/x-msvideo", "avif": "image/avif",
	"bmp": "image/bmp", "bz2": "application/x-bzip2", "css": "text/css; charset=utf-8",
	"csv": "text/csv; charset=utf-8", "doc": "application/msword",
	"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"eot":  "application/vnd.ms-fontobject", "epub": "application/epub+zip", "flac": "audio/flac",
	"gif": "image/gif", "gz": "application/gzip", "htm": "text/html; charset=utf-8",
	"html": "text/html; charset=utf-8", "ico": "image/x-icon", "ics": "text/calendar; charset=utf-8",
	"jpeg": "image/jpeg", "jpg": "image/jpeg", "js": "text/javascript; charset=utf-8",
	"json": "application/json", "jsonld": "application/ld+json", "m3u8": "application/vnd.apple.mpegurl",
	"m4a": "audio/mp4", "m4v": "video/mp4", "map": "application/json", "md": "text/markdown; charset=utf-8",
	"mjs": "text/javascript; charset=utf-8", "mov": "video/quicktime", "mp3": "audio/mpeg", "mp4": "video/mp4",
	"mpd": "application/dash+xml", "mpeg": "video/mpeg", "odt": "application/vnd.oasis.opendocument.text",
	"oga": "audio/ogg", "ogg": "audio/ogg", "ogv": "video/ogg", "opus": "audio/ogg", "otf": "font/otf",
	"pdf": "application/pdf", "png": "image/png",
	"ppt":  "application/vnd.ms-powerpoint",
	"pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"rar":  "application/vnd.rar", "rss": "application/rss+xml", "rtf": "application/rtf",
	"svg": "image/svg+xml", "tar": "application/x-tar", "tif": "image/tiff", "tiff": "image/tiff",
	"ts": "video/mp2t", "ttf": "font/ttf", "txt": "text/plain; charset=utf-8", "vtt": "text/vtt; charset=utf-8",
	"wasm": "application/wasm", "wav": "audio/wav", "weba": "audio/webm", "webm": "video/webm",
	"webmanifest": "application/manifest+json", "webp": "image/webp", "woff": "font/woff", "woff2": "font/woff2",
	"xhtml": "application/xhtml+xml", "xls": "application/vnd.ms-excel",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"xml":  "text/xml; charset=utf-8", "yaml": "application/yaml", "yml": "application/yaml", "zip": "application/zip",
}
