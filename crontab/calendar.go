package crontab

import (
	"math/bits"
	"time"
)

// searchYears is how far a search looks. The rarest day, 29 February on a certain weekday,
// comes after at most 40 years, over a century's turn without a leap day.
const searchYears = 40

// from is the first time at or after wall whose fields match. Both are what a clock on the
// wall shows, free of zones, as in wallOf. It reports false if there is none.
func (s *Schedule) from(wall int64) (int64, bool) {
	t := time.Unix(wall, 0).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()

	if s.month>>month&1 == 1 && s.days(year, month)>>day&1 == 1 {
		if h, m, sec, ok := s.timeFrom(hour, minute, second); ok {
			return time.Date(year, month, day, h, m, sec, 0, time.UTC).Unix(), true
		}
	}
	day++ // which the month may not have; then no bit is left
	for range 12*searchYears + 1 {
		if s.month>>month&1 == 1 {
			if d, ok := next(s.days(year, month), day); ok {
				h, m, sec, _ := s.timeFrom(0, 0, 0)
				return time.Date(year, month, d, h, m, sec, 0, time.UTC).Unix(), true
			}
		}
		day = 1
		if month++; month > time.December {
			year, month = year+1, time.January
		}
	}
	return 0, false
}

// timeFrom is the first time of a day at or after the given one.
func (s *Schedule) timeFrom(hour, minute, second int) (h, m, sec int, ok bool) {
	if s.hour>>hour&1 == 1 {
		if s.minute>>minute&1 == 1 {
			if sec, ok = next(s.second, second); ok {
				return hour, minute, sec, true
			}
		}
		if m, ok = next(s.minute, minute+1); ok {
			return hour, m, bits.TrailingZeros64(s.second), true
		}
	}
	h, ok = next(s.hour, hour+1)
	return h, bits.TrailingZeros64(s.minute), bits.TrailingZeros64(s.second), ok
}

// days are the days of a month that match, a bit for each.
func (s *Schedule) days(year int, month time.Month) uint64 {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Weekday()
	length := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()

	weekdays := s.weekday // the days of six weeks, the first of which begins on a Sunday
	for week := 1; week < 6; week++ {
		weekdays |= s.weekday << (7 * week)
	}
	weekdays = weekdays >> first << 1 // bit 1 is the first of the month

	days := s.day & weekdays
	if s.eitherDay {
		days = s.day | weekdays
	}
	return days & (1<<(length+1) - 2)
}

// next is the lowest bit of set that is n or above.
func next(set uint64, n int) (int, bool) {
	rest := set >> n << n
	return bits.TrailingZeros64(rest), rest != 0
}
