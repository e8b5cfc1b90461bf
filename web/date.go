package web

import "time"

const (
	dayNames   = "SunMonTueWedThuFriSat"
	monthNames = "JanFebMarAprMayJunJulAugSepOctNovDec"
)

// AppendDate appends t as an HTTP date such as "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110,
// section 5.6.7). Years have four digits. Write it once per second and share it.
func AppendDate(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	year = max(0, min(year, 9999))
	w, m := int(t.Weekday())*3, int(month-1)*3
	dst = append(dst, dayNames[w:w+3]...)
	dst = append(dst, ',', ' ', digit(day/10), digit(day), ' ')
	dst = append(dst, monthNames[m:m+3]...)
	return append(dst, ' ', digit(year/1000), digit(year/100), digit(year/10), digit(year),
		' ', digit(hour/10), digit(hour), ':', digit(minute/10), digit(minute),
		':', digit(second/10), digit(second), ' ', 'G', 'M', 'T')
}

func digit(n int) byte { return byte('0' + n%10) }

// parseDate reads the three forms of an HTTP date that a recipient has to know.
func parseDate(s string) (t time.Time, ok bool) {
	for _, layout := range [...]string{"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return t, false
}
