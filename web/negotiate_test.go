package web

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestWantedCoding(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "identity",
		"gzip":                              "gzip",
		"zstd":                              "zstd",
		"GZip":                              "gzip",
		"x-gzip":                            "gzip",
		"gzip, deflate, br, zstd":           "zstd",
		"gzip, zstd;q=0.9":                  "gzip",
		"gzip;q=0.5, zstd;q=0.5":            "zstd",
		"compress, gzip":                    "gzip",
		"br, deflate":                       "identity",
		"*":                                 "gzip",
		"*;q=0.5, gzip;q=0":                 "identity",
		"*;q=0":                             "identity",
		"gzip;q=0":                          "identity",
		"gzip;q=0.000":                      "identity",
		"gzip;q=0.001":                      "gzip",
		"gzip;q=1.000":                      "gzip",
		"gzip;q=1.001":                      "identity",
		"gzip;q=0.0001":                     "identity",
		"gzip;q=":                           "identity",
		"gzip;q=x":                          "identity",
		"gzip;q=.5":                         "identity",
		"gzip;level=5":                      "identity",
		"gzip ; Q=0.5 ,zstd ;q=0.4":         "gzip",
		"gzip;q=0.5, identity":              "identity",
		"gzip;q=0.5, identity;q=0.5":        "gzip",
		"identity;q=0, gzip;q=0.1":          "gzip",
		"identity;q=0":                      "identity",
		"gzip;q=0.5, *;q=0":                 "gzip",
		"gzip;q=0, gzip":                    "identity",
		",, gzip,":                          "gzip",
		"deflate\r\nAccept-Encoding: gzip":  "gzip",
		"gzip;q=0\r\nAccept-Encoding: zstd": "zstd",
	} {
		if got := accepting(t, compressing, "GET", in).coding.String(); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	none := parsed(t, compressing, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if c := none.Exchange().coding; c != identity {
		t.Errorf("no field: %s", c)
	}
	if c := accepting(t, nil, "GET", "gzip").coding; c != identity {
		t.Errorf("not enabled: %s", c)
	}
}

var acceptElement = regexp.MustCompile(`^[ \t]*([^;]*?)[ \t]*(?:;[ \t]*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[ \t]*)?$`)

// slowCoding is wantedCoding by regular expression and floating point.
func slowCoding(value string) string {
	weights := map[string]float64{}
	for item := range strings.SplitSeq(value, ",") {
		m := acceptElement.FindStringSubmatch(trim(item))
		if m == nil {
			continue
		}
		name := strings.Map(func(c rune) rune { // the letters of ASCII only
			if c >= 'A' && c <= 'Z' {
				return c + 'a' - 'A'
			}
			return c
		}, m[1])
		if name == "x-gzip" {
			name = "gzip"
		}
		weight := 1.0
		if m[2] != "" {
			weight, _ = strconv.ParseFloat(m[2], 64)
		}
		if _, seen := weights[name]; !seen {
			weights[name] = weight
		}
	}
	of := func(name string) float64 {
		if w, named := weights[name]; named || name == "zstd" {
			return w
		}
		return weights["*"]
	}
	order := []string{"zstd", "gzip", "identity"}
	slices.SortStableFunc(order, func(a, b string) int {
		return int((of(b) - of(a)) * 10000)
	})
	if of(order[0]) == 0 {
		return "identity"
	}
	return order[0]
}

func FuzzAcceptEncoding(f *testing.F) {
	f.Add("gzip;q=0.5, zstd ; Q=0.51, *;q=0, identity;q=1.000")
	f.Add("x-gzip;q=1,*,br;q=0.")
	f.Fuzz(func(t *testing.T, value string) {
		if !validBytes(value) {
			return
		}
		if got, want := accepting(t, compressing, "GET", value).coding.String(), slowCoding(trim(value)); got != want {
			t.Fatalf("%q: %s, want %s", value, got, want)
		}
	})
}
