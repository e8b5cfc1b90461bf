package crontab

import (
	"strings"
	"testing"
	"time"
)

// What is wrong is named, and what would be right.
func TestParseErrors(t *testing.T) {
	for rule, want := range map[string]string{
		"":                             "there are 0 fields; use 5",
		"* * * *":                      "there are 4 fields; use 5",
		"* * * * * * *":                "there are 7 fields; use 5",
		"60 * * * *":                   `minute: "60" is not allowed; use 0 to 59`,
		"60 * * * * *":                 `second: "60" is not allowed; use 0 to 59`,
		"0 24 * * *":                   `hour: "24" is not allowed; use 0 to 23`,
		"0 0 0 * *":                    `day of the month: "0" is not allowed; use 1 to 31`,
		"0 0 32 * *":                   `day of the month: "32" is not allowed; use 1 to 31`,
		"0 0 L * *":                    `day of the month: "L" is not allowed; use 1 to 31`,
		"0 0 1 13 *":                   `month: "13" is not allowed; use 1 to 12 or jan to dec`,
		"0 0 1 juli *":                 `month: "juli" is not allowed; use 1 to 12 or jan to dec`,
		"0 0 * * 8":                    `weekday: "8" is not allowed; use 0 to 7 or sun to sat`,
		"0 0 * * jan":                  `weekday: "jan" is not allowed; use 0 to 7 or sun to sat`,
		"? * * * *":                    `minute: "?" is not allowed`,
		"0 0 ?/2 * *":                  `day of the month: "?" is not allowed`,
		"1,,2 * * * *":                 `minute: "" is not allowed`,
		"-1 * * * *":                   `minute: "" is not allowed`,
		"+1 * * * *":                   `minute: "+1" is not allowed`,
		"1.5 * * * *":                  `minute: "1.5" is not allowed`,
		"1-2-3 * * * *":                `minute: "2-3" is not allowed`,
		"*-5 * * * *":                  `minute: "*" is not allowed`,
		"*/0 * * * *":                  `minute: the step in "*/0" is not allowed; use 1 to 60`,
		"*/90 * * * *":                 `minute: the step in "*/90" is not allowed; use 1 to 60`,
		"*/ * * * *":                   `minute: the step in "*/" is not allowed`,
		"1/2/3 * * * *":                `minute: the step in "1/2/3" is not allowed`,
		"0 */25 * * *":                 `hour: the step in "*/25" is not allowed; use 1 to 24`,
		"0 22-2 * * *":                 `hour: the range "22-2" runs backwards; write two: 22-23,0-2`,
		"0 0 * * sat-tue":              `weekday: the range "sat-tue" runs backwards; write two: 6-6,0-2`,
		"18446744073709551616 * * * *": `minute: "18446744073709551616" is not allowed`,
		"0 0 30 2 *":                   "day of the month: the months given never have such a day",
		"0 0 31 2,4,6,9,11 *":          "day of the month: the months given never have such a day",
		"0 0 30 feb */2":               "day of the month: the months given never have such a day",
		"@reboot":                      `"@reboot" is not known; use @yearly`,
		"@daily 5":                     `"@daily 5" is not known; use @yearly`,
		"@every":                       `@every: "" is not allowed; use a duration`,
		"@every 5":                     `@every: "5" is not allowed; use a duration`,
		"@every 999ms":                 `@every: "999ms" is not allowed; use a duration of at least a second`,
		"@every -1h":                   `@every: "-1h" is not allowed`,
		"TZ= * * * * *":                "the time zone is empty",
		"TZ=Mars/Olympus @daily":       `the time zone "Mars/Olympus" is not known to this machine`,
		"TZ=../passwd @daily":          `the time zone "../passwd" is not known`,
		"TZ=Europe/Berlin":             "there are 0 fields",
	} {
		s, err := Parse(rule)
		if err == nil {
			t.Errorf("%q is accepted, as %+v", rule, s)
			continue
		}
		if text := err.Error(); !strings.Contains(text, want) || !strings.HasPrefix(text, "crontab: rule ") {
			t.Errorf("%q: the error is %q, want %q", rule, text, want)
		}
	}
}

// Rules that mean the same have the same runs.
func TestSpellings(t *testing.T) {
	for _, same := range [][]string{
		{"0 0 * * *", "0 0 0 * * *", "  0\t0 * * ?  ", "@daily", "@MIDNIGHT", "0-0 00 1-31 1-12 *"},
		{"0 0 1 1 *", "@yearly", "@annually", "0 0 1 JAN ?"},
		{"0 0 * * 0", "@weekly", "0 0 * * 7", "0 0 ? * Sun", "0 0 * * 7/2", "0 0 * * 0,7"},
		{"0 0 * * 1-5", "0 0 * * mon-fri", "0 0 * * Mon,tue,WED,4,5", "0 0 * * 1-5/1"},
		{"0 0 * * 5-7", "0 0 * * fri-sun", "0 0 * * 5-0", "0 0 * * fri,sat,sun", "0 0 * * sun,5/1"},
		{"0 0 * * 0,2,4,6", "0 0 * * */2", "0 0 * * 0-6/2", "0 0 * * sun-sat/2"},
		{"5 4 * * *", "5,5 4,4-4 * * *"},
		{"10/20 * * * *", "10-59/20 * * * *", "10,30,50 * * * *"},
		{"0 * * * *", "*/60 * * * *", "@hourly"},
		{"TZ=Asia/Tokyo 0 0 * * *", "CRON_TZ=Asia/Tokyo @daily"},
		{"@every 90s", "@every 1m30s", "@EVERY 90s"},
	} {
		runs := func(rule string) (list [40]int64) {
			s, err := Parse(rule)
			if err != nil {
				t.Fatal(err)
			}
			if s.String() != rule {
				t.Errorf("String of %q is %q", rule, s)
			}
			at := time.Date(2024, 2, 3, 4, 5, 6, 7, time.UTC)
			for i := range list {
				at = s.Next(at)
				list[i] = at.Unix()
			}
			return list
		}
		want := runs(same[0])
		for _, rule := range same[1:] {
			if got := runs(rule); got != want {
				t.Errorf("%q and %q differ: %v and %v …", same[0], rule, want[:3], got[:3])
			}
		}
	}
}

// Whatever is accepted has runs, each the first after every time since the one before.
func FuzzParse(f *testing.F) {
	for _, rule := range []string{
		"* * * * *", "*/5 * * * * *", "0 0 13 * fri", "30 2 */2 mar-nov sat,7", "10-40/5,59 1/3 ? * *", "0 0 29 2 */7",
		"@daily", "@every 1h30m", "TZ=Europe/Berlin 30 2 * * *", "CRON_TZ=America/New_York @hourly", "1,,2 * * * *", "*/0 * * * *",
	} {
		f.Add(rule, int64(1711846800), uint32(1800))
	}
	zones := []*time.Location{time.UTC, zone(f, "Europe/Berlin"), zone(f, "Australia/Lord_Howe"), zone(f, "Pacific/Apia")}
	f.Fuzz(func(t *testing.T, rule string, unix int64, part uint32) {
		s, err := Parse(rule)
		if err != nil {
			return
		}
		unix %= 1 << 36 // two thousand years on each side of 1970
		at := time.Unix(unix, 0).In(zones[part%4])
		for range 5 {
			next := s.Next(at)
			if !next.After(at) {
				t.Fatalf("%q: after %v comes %v", rule, at, next)
			}
			if s.every > 0 {
				at = next
				continue
			}
			if next.Nanosecond() != 0 {
				t.Fatalf("%q: %v is no whole second", rule, next)
			}
			between := at.Add(time.Duration(float64(next.Sub(at)) * float64(part) / (1 << 32)))
			if again := s.Next(between); between.Before(next) && !again.Equal(next) {
				t.Fatalf("%q: after %v comes %v, but after %v comes %v", rule, at, next, between, again)
			}
			// A run's fields match, unless it stands for those that a gap has swallowed.
			wall := wallOf(next)
			if match, ok := s.from(wall); (!ok || match != wall) && (s.rhythm || wallOf(next.Add(-time.Second)) == wall-1) {
				t.Fatalf("%q: %v does not match", rule, next)
			}
			at = next
		}
	})
}
