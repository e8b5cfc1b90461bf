package admin

import (
	"math"
	"strconv"
	"strings"
)

// exposition is a page in Prometheus' text format, version 0.0.4.
type exposition struct {
	text []byte
	name string // the metric that samples belong to
}

// expositionType is the media type of the page.
const expositionType = "text/plain; version=0.0.4; charset=utf-8"

// Kinds of metrics.
const (
	gauge   = "gauge"
	counter = "counter"
)

var (
	helpEscaper  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// metric begins a metric. All its samples have to follow before the next one.
func (e *exposition) metric(name, kind, help string) {
	e.name = "workerman_" + name
	e.text = append(e.text, "# HELP "+e.name+" "+helpEscaper.Replace(help)+"\n# TYPE "+e.name+" "+kind+"\n"...)
}

// sample adds a value. Labels are names and values in turn.
func (e *exposition) sample(value float64, labels ...string) {
	e.text = append(e.text, e.name...)
	for i := 0; i+1 < len(labels); i += 2 {
		if i == 0 {
			e.text = append(e.text, '{')
		} else {
			e.text = append(e.text, ',')
		}
		e.text = append(e.text, labels[i]+`="`+labelEscaper.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD"))+`"`...)
	}
	if len(labels) > 1 {
		e.text = append(e.text, '}')
	}
	e.text = append(e.text, ' ')
	e.text = append(appendValue(e.text, value), '\n')
}

// appendValue writes whole numbers without exponent, for people.
func appendValue(dst []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return strconv.AppendFloat(dst, v, 'f', 0, 64)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// truth is 1 for true.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
