package crontab

import (
	"math"
	"testing"
	"time"
)

const layout = "2006-01-02 15:04:05 -0700"

// Each line is a rule, a time and the runs after it, written by hand from a calendar.
func TestNext(t *testing.T) {
	for _, test := range []struct {
		about, zone, rule, after string
		want                     []string
	}{
		{"strictly after", "UTC", "* * * * *", "2024-05-05 10:00:00 +0000", []string{"2024-05-05 10:01:00 +0000", "2024-05-05 10:02:00 +0000"}},
		{"seconds", "UTC", "*/20 * * * * *", "2024-05-05 23:59:41 +0000", []string{"2024-05-06 00:00:00 +0000", "2024-05-06 00:00:20 +0000"}},
		{"steps begin anew", "UTC", "*/25 * * * *", "2024-05-05 10:26:00 +0000", []string{"2024-05-05 10:50:00 +0000", "2024-05-05 11:00:00 +0000"}},
		{"from 5 by 15", "UTC", "5/25 8 * * *", "2024-05-05 00:00:00 +0000", []string{"2024-05-05 08:05:00 +0000", "2024-05-05 08:30:00 +0000", "2024-05-05 08:55:00 +0000", "2024-05-06 08:05:00 +0000"}},
		{"end of the year", "UTC", "59 59 23 31 dec ?", "2024-12-31 23:59:59 +0000", []string{"2025-12-31 23:59:59 +0000"}},
		{"lengths of months", "UTC", "0 12 31 * *", "2024-01-31 12:00:00 +0000", []string{"2024-03-31 12:00:00 +0000", "2024-05-31 12:00:00 +0000", "2024-07-31 12:00:00 +0000", "2024-08-31 12:00:00 +0000", "2024-10-31 12:00:00 +0000"}},
		{"leap days", "UTC", "0 0 29 2 *", "2020-03-01 00:00:00 +0000", []string{"2024-02-29 00:00:00 +0000", "2028-02-29 00:00:00 +0000"}},
		{"no leap day in 2100", "UTC", "0 0 29 2 *", "2096-02-29 00:00:00 +0000", []string{"2104-02-29 00:00:00 +0000"}},
		{"a leap day in 2000", "UTC", "0 0 29 2 *", "1996-03-01 00:00:00 +0000", []string{"2000-02-29 00:00:00 +0000"}},
		{"a leap day and Sunday", "UTC", "0 0 29 2 */7", "2024-03-01 00:00:00 +0000", []string{"2032-02-29 00:00:00 +0000", "2060-02-29 00:00:00 +0000", "2088-02-29 00:00:00 +0000", "2128-02-29 00:00:00 +0000"}},
		{"either day", "UTC", "0 0 13 * fri", "2024-09-01 00:00:00 +0000", []string{"2024-09-06 00:00:00 +0000", "2024-09-13 00:00:00 +0000", "2024-09-20 00:00:00 +0000", "2024-09-27 00:00:00 +0000", "2024-10-04 00:00:00 +0000", "2024-10-11 00:00:00 +0000", "2024-10-13 00:00:00 +0000"}},
		{"both days after *", "UTC", "0 0 */2 * fri", "2024-09-01 00:00:00 +0000", []string{"2024-09-13 00:00:00 +0000", "2024-09-27 00:00:00 +0000", "2024-10-11 00:00:00 +0000"}},
		{"Sunday is 0 and 7", "UTC", "0 0 ? * 7", "2024-05-01 00:00:00 +0000", []string{"2024-05-05 00:00:00 +0000", "2024-05-12 00:00:00 +0000"}},
		{"over Sunday", "UTC", "0 0 * * sat-sun", "2024-05-03 00:00:00 +0000", []string{"2024-05-04 00:00:00 +0000", "2024-05-05 00:00:00 +0000", "2024-05-11 00:00:00 +0000"}},
		{"names", "UTC", "0 0 1 jan,DEC *", "2024-05-03 00:00:00 +0000", []string{"2024-12-01 00:00:00 +0000", "2025-01-01 00:00:00 +0000"}},
		{"hourly", "UTC", "@hourly", "2024-05-03 10:20:00 +0000", []string{"2024-05-03 11:00:00 +0000", "2024-05-03 12:00:00 +0000"}},
		{"daily", "UTC", "@daily", "2024-05-03 10:20:00 +0000", []string{"2024-05-04 00:00:00 +0000"}},
		{"weekly", "UTC", "@weekly", "2024-05-03 10:20:00 +0000", []string{"2024-05-05 00:00:00 +0000"}},
		{"monthly", "UTC", "@monthly", "2024-05-03 10:20:00 +0000", []string{"2024-06-01 00:00:00 +0000"}},
		{"yearly", "UTC", "@yearly", "2024-05-03 10:20:00 +0000", []string{"2025-01-01 00:00:00 +0000"}},
		{"every", "UTC", "@every 1h30m", "2024-05-03 10:20:07 +0000", []string{"2024-05-03 11:50:07 +0000", "2024-05-03 13:20:07 +0000"}},
		{"its own zone", "UTC", "TZ=Asia/Kathmandu 0 9 * * *", "2024-05-03 00:00:00 +0000", []string{"2024-05-03 09:00:00 +0545"}},

		{"missing, Berlin", "Europe/Berlin", "30 2 * * *", "2024-03-30 12:00:00 +0100", []string{"2024-03-31 03:00:00 +0200", "2024-04-01 02:30:00 +0200"}},
		{"many missing are one", "Europe/Berlin", "0,20,40 2,3 * * *", "2024-03-31 01:00:00 +0100", []string{"2024-03-31 03:00:00 +0200", "2024-03-31 03:20:00 +0200"}},
		{"every second of a missing minute", "Europe/Berlin", "* 30 2 * * *", "2024-03-31 01:00:00 +0100", []string{"2024-03-31 03:00:00 +0200", "2024-04-01 02:30:00 +0200", "2024-04-01 02:30:01 +0200"}},
		{"missing, but not that day", "Europe/Berlin", "30 2 1 * *", "2024-03-31 01:00:00 +0100", []string{"2024-04-01 02:30:00 +0200"}},
		{"last second before the gap", "Europe/Berlin", "59 59 1 * * *", "2024-03-31 00:00:00 +0100", []string{"2024-03-31 01:59:59 +0100", "2024-04-01 01:59:59 +0200"}},
		{"twice, Berlin", "Europe/Berlin", "30 2 * * *", "2024-10-26 12:00:00 +0200", []string{"2024-10-27 02:30:00 +0200", "2024-10-28 02:30:00 +0100"}},
		{"asked in the second pass", "Europe/Berlin", "30 2 * * *", "2024-10-27 02:10:00 +0100", []string{"2024-10-28 02:30:00 +0100"}},
		{"end of the second pass", "Europe/Berlin", "0 2,3 * * *", "2024-10-27 00:00:00 +0200", []string{"2024-10-27 02:00:00 +0200", "2024-10-27 03:00:00 +0100"}},
		{"rhythm over the gap", "Europe/Berlin", "0 * * * *", "2024-03-31 00:30:00 +0100", []string{"2024-03-31 01:00:00 +0100", "2024-03-31 03:00:00 +0200", "2024-03-31 04:00:00 +0200"}},
		{"rhythm twice", "Europe/Berlin", "0 * * * *", "2024-10-27 01:30:00 +0200", []string{"2024-10-27 02:00:00 +0200", "2024-10-27 02:00:00 +0100", "2024-10-27 03:00:00 +0100"}},
		{"rhythm of a missing hour", "Europe/Berlin", "*/30 2 * * *", "2024-03-30 02:30:00 +0100", []string{"2024-04-01 02:00:00 +0200"}},
		{"missing, New York", "America/New_York", "30 2 * * *", "2024-03-09 12:00:00 -0500", []string{"2024-03-10 03:00:00 -0400", "2024-03-11 02:30:00 -0400"}},
		{"twice, New York", "America/New_York", "30 1 * * *", "2024-11-02 12:00:00 -0400", []string{"2024-11-03 01:30:00 -0400", "2024-11-04 01:30:00 -0500"}},
		{"rhythm twice, New York", "America/New_York", "*/30 1 * * *", "2024-11-03 01:00:00 -0400", []string{"2024-11-03 01:30:00 -0400", "2024-11-03 01:00:00 -0500", "2024-11-03 01:30:00 -0500", "2024-11-04 01:00:00 -0500"}},
		{"half an hour missing", "Australia/Lord_Howe", "15 2 * * *", "2024-10-05 12:00:00 +1030", []string{"2024-10-06 02:30:00 +1100", "2024-10-07 02:15:00 +1100"}},
		{"half an hour twice", "Australia/Lord_Howe", "45 1 * * *", "2024-04-06 12:00:00 +1100", []string{"2024-04-07 01:45:00 +1100", "2024-04-08 01:45:00 +1030"}},
		{"rhythm, half an hour twice", "Australia/Lord_Howe", "45 * * * *", "2024-04-07 01:00:00 +1100", []string{"2024-04-07 01:45:00 +1100", "2024-04-07 01:45:00 +1030", "2024-04-07 02:45:00 +1030"}},
		{"no midnight", "America/Sao_Paulo", "@daily", "2018-11-03 12:00:00 -0300", []string{"2018-11-04 01:00:00 -0200", "2018-11-05 00:00:00 -0200"}},
		{"two midnights", "America/Havana", "@daily", "2024-11-02 12:00:00 -0400", []string{"2024-11-03 00:00:00 -0400", "2024-11-04 00:00:00 -0500"}},
		{"no 30 December", "Pacific/Apia", "0 12 * * *", "2011-12-29 00:00:00 -1000", []string{"2011-12-29 12:00:00 -1000", "2011-12-31 00:00:00 +1400", "2011-12-31 12:00:00 +1400"}},
		{"after the tables of the zone", "Europe/Berlin", "30 2 28-31 3,12 *", "2040-12-30 02:30:00 +0100", []string{"2040-12-31 02:30:00 +0100", "2041-03-28 02:30:00 +0100", "2041-03-29 02:30:00 +0100", "2041-03-30 02:30:00 +0100", "2041-03-31 03:00:00 +0200"}},
		{"every, over a change", "Europe/Berlin", "@every 24h", "2024-03-30 12:00:00 +0100", []string{"2024-03-31 13:00:00 +0200"}},
	} {
		s, err := Parse(test.rule)
		if err != nil {
			t.Errorf("%s: %v", test.about, err)
			continue
		}
		at, err := time.Parse(layout, test.after)
		if err != nil {
			t.Fatal(err)
		}
		at = at.In(zone(t, test.zone))
		for _, want := range test.want {
			next := s.Next(at)
			if got := next.Format(layout); got != want {
				t.Errorf("%s: %q after %s is %s, want %s", test.about, s, at.Format(layout), got, want)
			}
			at = next
		}
	}
}

// A fraction of a second is cut off, not rounded.
func TestNextBetweenSeconds(t *testing.T) {
	s, err := Parse("* * * * * *")
	if err != nil {
		t.Fatal(err)
	}
	for _, year := range []int{1900, 2024} { // on both sides of 1970
		at := time.Date(year, 5, 5, 10, 0, 0, 0, time.UTC)
		for _, fraction := range []time.Duration{0, 1, time.Second / 2, time.Second - 1} {
			if next := s.Next(at.Add(fraction)); !next.Equal(at.Add(time.Second)) {
				t.Errorf("%v after %v is %v", fraction, at, next)
			}
		}
	}
}

func TestNextAtTheEndsOfTime(t *testing.T) {
	for _, rule := range []string{"* * * * * *", "0 0 29 2 */7", "@every 1h"} {
		s, err := Parse(rule)
		if err != nil {
			t.Fatal(err)
		}
		for _, loc := range []*time.Location{time.UTC, zone(t, "Europe/Berlin"), zone(t, "America/New_York")} {
			if next := s.Next(time.Time{}.In(loc)); !next.After(time.Time{}) {
				t.Errorf("%q after the zero time is %v", rule, next)
			}
			if next := s.Next(time.Date(10000, 1, 2, 0, 0, 0, 0, loc)); !next.IsZero() {
				t.Errorf("%q after the year 9999 is %v", rule, next)
			}
			for _, at := range []int64{math.MinInt64, math.MaxInt64} {
				s.Next(time.Unix(at, 0).In(loc)) // whatever it is, it comes back
			}
		}
	}
}

// Between the ends of searchYears lies every day that there can be.
func TestRarestDay(t *testing.T) {
	for weekday := range 7 {
		last := [2]int{}
		for year := 1800; year < 2400; year++ {
			day := time.Date(year, 2, 29, 0, 0, 0, 0, time.UTC)
			if day.Day() != 29 || int(day.Weekday()) != weekday {
				continue
			}
			if gap := year - last[0]; last[0] != 0 && gap > last[1] {
				last[1] = gap
			}
			last[0] = year
		}
		if last[1] > searchYears {
			t.Errorf("29 February is a %v after %d years, which is more than %d", time.Weekday(weekday), last[1], searchYears)
		}
	}
}

func TestIntervalsCountFromTheAnchor(t *testing.T) {
	s, err := Parse("@every 90s")
	if err != nil {
		t.Fatal(err)
	}
	anchor := time.Date(2024, 5, 5, 10, 0, 0, 500, time.UTC)
	s = s.anchored(anchor)
	for _, test := range []struct{ after, want time.Duration }{
		{0, 90 * time.Second},
		{1, 90 * time.Second},
		{90*time.Second - 1, 90 * time.Second},
		{90 * time.Second, 180 * time.Second},
		{-1, 0},
		{-90 * time.Second, 0},
		{-91 * time.Second, -90 * time.Second},
	} {
		if got := s.Next(anchor.Add(test.after)).Sub(anchor); got != test.want {
			t.Errorf("%v after the anchor comes %v, want %v", test.after, got, test.want)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, rule := range []string{"* * * * * *", "30 2 * * *", "0 0 29 2 *"} {
		b.Run(rule, func(b *testing.B) {
			s, err := Parse(rule)
			if err != nil {
				b.Fatal(err)
			}
			at := time.Date(2024, 3, 1, 0, 0, 0, 0, zone(b, "Europe/Berlin"))
			for b.Loop() {
				s.Next(at)
			}
		})
	}
}
