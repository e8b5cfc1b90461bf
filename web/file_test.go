package web

import "testing"

// A path that a program forgot to set is no empty file.
func TestFileWithoutAPath(t *testing.T) {
	p := File("").Plan(parsed(t, nil, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").Exchange())
	defer p.Close()
	if p.Response.Status != 404 {
		t.Errorf("status %d", p.Response.Status)
	}
}
