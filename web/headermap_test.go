package web

import (
	"bytes"
	"reflect"
	"testing"
)

func TestHeaderMap(t *testing.T) {
	in := []byte("POST / HTTP/1.1\r\nhost: a\r\nACCEPT: x\r\nX-empty:\r\naccept:  y, z \r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-sum: 1\r\nX-SUM: 2\r\n\r\n")
	var p Parser
	var r Request
	if _, step, err := p.Parse(&r, in); step != GotRequest || err != nil {
		t.Fatal(step, err)
	}
	header, trailer := r.HeaderMap(), r.TrailerMap()
	copy(in, bytes.Repeat([]byte{0xDB}, len(in))) // what was made is a copy
	want := map[string][]string{"Host": {"a"}, "Accept": {"x", "y, z"}, "X-Empty": {""}, "Transfer-Encoding": {"chunked"}}
	if !reflect.DeepEqual(header, want) {
		t.Errorf("%q", header)
	}
	if want := map[string][]string{"X-Sum": {"1", "2"}}; !reflect.DeepEqual(trailer, want) {
		t.Errorf("%q", trailer)
	}
	header["Accept"] = append(header["Accept"][:1], "new")
	if header["X-Empty"][0] != "" {
		t.Error("values share memory that grows")
	}
	var none Request
	if header, trailer := none.HeaderMap(), none.TrailerMap(); header == nil || len(header) > 0 || trailer != nil {
		t.Error(header, trailer)
	}
}
