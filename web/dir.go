package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Dir serves the files below a directory. Nothing outside is reached, neither by a path nor
// by a symbolic link that leads out. Root is looked up for every request, so that it may be
// a link that a deployment turns to another directory. Its fields must not be changed while
// it is used.
//
//	static := &web.Dir{Root: "public", Prefix: "/static/"}
//	c.Respond(static.Serve(r))
type Dir struct {
	// Root is the directory.
	Root string
	// Prefix is the beginning of paths, as they are sent, that is no part of file names,
	// such as /static/. What does not begin with it is not found.
	Prefix string
	// Index is the file that stands for its directory, index.html by default.
	Index string
	// Hidden serves also what begins with a dot, or lies in a directory that does.
	// Otherwise it is not found, except /.well-known (RFC 8615).
	Hidden bool
	// CacheControl is the value of that field, such as "max-age=3600"; if empty, there is
	// none, and clients ask each time whether a file has changed, or guess.
	CacheControl string
	// Precompressed serves the file's sibling with .zst, .br or .gz appended to its name
	// to clients that accept it, unless it is older than the file, in seconds.
	Precompressed bool
}

// Serve is the response to r: a file as by File, 301 with a slash appended for a directory,
// 404, 403, 405 if r is neither GET nor HEAD. It looks at the file system but opens no file
// that has to be closed: see Response.Plan. If Root cannot be opened it is 500, with the
// reason in Err.
func (d *Dir) Serve(r *Request) *Response {
	if r.method != "GET" && r.method != "HEAD" {
		return Status(405).Set("Allow", "GET, HEAD")
	}
	path, found := strings.CutPrefix(r.RawPath(), strings.TrimSuffix(d.Prefix, "/"))
	slash := strings.HasSuffix(path, "/")
	if path == "" {
		path = "/"
	}
	name, err := FilePath("", path)
	if !found || err != nil || !d.Hidden && isHidden(name) {
		return Status(404)
	}
	root, err := os.OpenRoot(d.Root)
	if err != nil {
		e := Status(500)
		e.err = err
		return e
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err == nil && info.IsDir() {
		if !slash {
			return redirectToSlash(r)
		}
		index := d.Index
		if index == "" {
			index = "index.html"
		}
		name = filepath.Join(name, index)
		if info, err = root.Stat(name); err == nil && info.IsDir() {
			err = errNotRegular
		}
	} else if slash {
		err = errNotRegular // a file has nothing below it
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return Status(fileStatus(err))
	}
	response := &Response{source: &source{root: d.Root, path: name}, contentType: MIMEType(name)}
	if d.CacheControl != "" {
		response.Set("Cache-Control", d.CacheControl)
	}
	if d.Precompressed {
		response.put("Vary", "Accept-Encoding")
		response.preferSibling(root, info, r.codingWeights())
	}
	return response
}

// isHidden reports whether a segment of name begins with a dot.
func isHidden(name string) bool {
	if name == "." {
		return false
	}
	for i, segment := range strings.Split(filepath.ToSlash(name), "/") {
		if strings.HasPrefix(segment, ".") && (i > 0 || segment != ".well-known") {
			return true
		}
	}
	return false
}

// redirectToSlash lets the links of a directory's index refer to the directory. The location
// is relative, since one that begins with the path could begin with two slashes and name
// another host.
func redirectToSlash(r *Request) *Response {
	path := r.RawPath()
	location := "./" + path[strings.LastIndexByte(path, '/')+1:] + "/"
	if query := r.RawQuery(); query != "" {
		location += "?" + query
	}
	return Redirect(location, 301)
}

// preferSibling turns the response to the file's best sibling in a coding that the client
// wants.
func (r *Response) preferSibling(root *os.Root, info fs.FileInfo, w codingWeights) {
	for c := w.best(zstdCoding, brotliCoding, gzipCoding); c != identity; c = w.best(zstdCoding, brotliCoding, gzipCoding) {
		path := r.source.path + c.extension()
		s, err := root.Stat(path)
		if err == nil && s.Mode().IsRegular() && seconds(s.ModTime()) >= seconds(info.ModTime()) {
			r.source.path = path
			r.put("Content-Encoding", c.String())
			return
		}
		w[c] = 0
	}
}
