package console

import (
	"strconv"
	"time"
)

// appendSize appends a number of bytes as people read it: "512B", "1.5KB", "20.0GB".
func appendSize(dst []byte, n uint64) []byte {
	if n < 1024 {
		return append(strconv.AppendUint(dst, n, 10), 'B')
	}
	const units = "KMGTPE"
	unit, tenths := 0, tenthsOf(n)
	for tenths >= 10240 && unit < len(units)-1 {
		n >>= 10
		tenths = tenthsOf(n)
		unit++
	}
	dst = strconv.AppendUint(dst, tenths/10, 10)
	dst = append(dst, '.', byte('0'+tenths%10))
	return append(dst, units[unit], 'B')
}

// tenthsOf is n/1024 in tenths, rounded down, so that no size looks larger than it is.
func tenthsOf(n uint64) uint64 { return n>>10*10 + n&1023*10>>10 }

// appendSpan appends a time of so many milliseconds, short: "350ms", "1.2s",
// "12s", "3m05s", "2h04m", "5d03h".
func appendSpan(dst []byte, ms int64) []byte {
	const second, minute, hour, day = 1000, 60 * 1000, 3600 * 1000, 24 * 3600 * 1000
	switch {
	case ms < second:
		return append(strconv.AppendInt(dst, max(ms, 0), 10), "ms"...)
	case ms < 10*second:
		dst = append(strconv.AppendInt(dst, ms/second, 10), '.', byte('0'+ms%second/100))
		return append(dst, 's')
	case ms < minute:
		return append(strconv.AppendInt(dst, ms/second, 10), 's')
	case ms < hour:
		return append(appendTwo(append(strconv.AppendInt(dst, ms/minute, 10), 'm'), ms%minute/second), 's')
	case ms < day:
		return append(appendTwo(append(strconv.AppendInt(dst, ms/hour, 10), 'h'), ms%hour/minute), 'm')
	}
	return append(appendTwo(append(strconv.AppendInt(dst, ms/day, 10), 'd'), ms%day/hour), 'h')
}

// appendTwo appends n with two digits.
func appendTwo(dst []byte, n int64) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

func span(d time.Duration) string { return string(appendSpan(nil, d.Milliseconds())) }

// uptime is a time in words: "3 days 4 hours".
func uptime(d time.Duration) string {
	d = max(d, 0)
	days, hours := int64(d/(24*time.Hour)), int64(d%(24*time.Hour)/time.Hour)
	minutes, seconds := int64(d%time.Hour/time.Minute), int64(d%time.Minute/time.Second)
	switch {
	case days > 0:
		return plural(days, "day") + " " + plural(hours, "hour")
	case hours > 0:
		return plural(hours, "hour") + " " + plural(minutes, "minute")
	}
	return plural(minutes, "minute") + " " + plural(seconds, "second")
}

// grouped is n with its thousands apart: "41 204".
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var out []byte
	for i := range len(digits) {
		if left := len(digits) - i; i > 0 && left%3 == 0 && digits[i-1] != '-' {
			out = append(out, ' ')
		}
		out = append(out, digits[i])
	}
	return string(out)
}

// plural is a number of things: "1 process", "8 processes".
func plural(n int64, thing string) string {
	if n != 1 {
		if thing[len(thing)-1] == 's' {
			thing += "e"
		}
		thing += "s"
	}
	return grouped(n) + " " + thing
}

const timeLayout = "2006-01-02 15:04:05"
