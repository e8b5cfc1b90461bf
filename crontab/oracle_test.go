package crontab

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests need zones, whatever the machine has
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// A reading is what a clock on the wall shows.
type reading struct {
	hour, minute, second, day int
	month                     time.Month
	weekday                   time.Weekday
}

func read(t time.Time) reading {
	hour, minute, second := t.Clock()
	_, month, day := t.Date()
	return reading{hour, minute, second, day, month, t.Weekday()}
}

// A model is a rule and, told in another way, what it means.
type model struct {
	rule   string
	rhythm bool
	match  func(r reading) bool
}

// naive is what the clock shows at t, with its zone forgotten.
func naive(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// compare follows the schedules of models from begin to end and expects their runs, which it
// finds by brute force: it looks at every step of real time, and at what the clock shows
// then. It shares nothing with Schedule.
func compare(t *testing.T, begin, end time.Time, step time.Duration, models ...model) {
	t.Helper()
	schedules, nexts, runs := make([]*Schedule, len(models)), make([]time.Time, len(models)), make([]int, len(models))
	for i, m := range models {
		s, err := Parse(m.rule)
		if err != nil {
			t.Fatal(err)
		}
		schedules[i], nexts[i] = s, s.Next(begin.Add(-1))
	}
	latest := naive(begin.Add(-24 * time.Hour)) // that the clock has shown
	for now := begin.Add(-24 * time.Hour); now.Before(end); now = now.Add(step) {
		shown := naive(now)
		if now.Before(begin) {
			latest = later(latest, shown)
			continue
		}
		r := read(shown)
		for i, m := range models {
			run := m.rhythm && m.match(r)
			if !m.rhythm && shown.After(latest) {
				run = m.match(r)
				for w := latest.Add(step); w.Before(shown); w = w.Add(step) { // the gap
					run = run || m.match(read(w))
				}
			}
			if run != nexts[i].Equal(now) {
				t.Fatalf("%q: at %v a run is %v, but the next is said to be at %v", m.rule, now, run, nexts[i])
			}
			if run {
				runs[i]++
				nexts[i] = schedules[i].Next(now)
			}
		}
		latest = later(latest, shown)
	}
	total := 0
	for _, n := range runs {
		total += n
	}
	if total == 0 {
		t.Fatal("no rule has a run here, so nothing was compared")
	}
	t.Logf("%d rules, %d runs", len(models), total)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

var models = []model{
	{"*/7 * * * *", true, func(r reading) bool { return r.minute%7 == 0 }},
	{"30 * * * *", true, func(r reading) bool { return r.minute == 30 }},
	{"*/15 2 * * *", true, func(r reading) bool { return r.hour == 2 && r.minute%15 == 0 }},
	{"15 */2 * * *", true, func(r reading) bool { return r.hour%2 == 0 && r.minute == 15 }},
	{"0 0 * * *", false, func(r reading) bool { return r.hour == 0 && r.minute == 0 }},
	{"10,40 1-3 * * *", false, func(r reading) bool {
		return r.hour >= 1 && r.hour <= 3 && (r.minute == 10 || r.minute == 40)
	}},
	{"45 23 29-31 2,4,6 *", false, func(r reading) bool {
		return r.hour == 23 && r.minute == 45 && r.day >= 29 && (r.month == 2 || r.month == 4 || r.month == 6)
	}},
	{"30 2 13 * fri", false, func(r reading) bool {
		return r.hour == 2 && r.minute == 30 && (r.day == 13 || r.weekday == time.Friday)
	}},
	{"30 2 */2 mar-nov sat,7", false, func(r reading) bool {
		return r.hour == 2 && r.minute == 30 && r.day%2 == 1 && r.month >= 3 && r.month <= 11 &&
			(r.weekday == time.Saturday || r.weekday == time.Sunday)
	}},
}

// Four years, minute by minute, with a leap day and eight changes of the clocks.
func TestFourYears(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := time.Date(2023, 1, 1, 0, 0, 0, 0, zone(t, name))
			years := 4
			if raceEnabled { // there is one goroutine, and it would be ten times as slow
				years = 1
			}
			compare(t, begin, begin.AddDate(years, 0, 0), time.Minute, models...)
		})
	}
}

// changes are the days on which clocks were set, in all kinds of ways.
var changes = []struct{ zone, day string }{
	{"Europe/Berlin", "2024-03-31"},       // 2:00 becomes 3:00
	{"Europe/Berlin", "2024-10-27"},       // 3:00 becomes 2:00
	{"America/New_York", "2024-03-10"},    // 2:00 becomes 3:00
	{"America/New_York", "2024-11-03"},    // 2:00 becomes 1:00
	{"Australia/Lord_Howe", "2024-04-07"}, // 2:00 becomes 1:30
	{"Australia/Lord_Howe", "2024-10-06"}, // 2:00 becomes 2:30
	{"America/Sao_Paulo", "2018-11-04"},   // 0:00 becomes 1:00
	{"America/Sao_Paulo", "2018-02-18"},   // 0:00 becomes 23:00 of the day before
	{"America/Havana", "2024-11-03"},      // 1:00 becomes 0:00
	{"Pacific/Apia", "2011-12-30"},        // there is no such day
	{"Asia/Pyongyang", "2018-05-04"},      // 23:30 becomes 0:00 of the next day
	{"Europe/Lisbon", "1992-09-27"},       // another zone, and the same time
	{"Europe/Berlin", "1945-05-24"},       // from summer time to double summer time
	{"Europe/Berlin", "2040-12-31"},       // none, but time.Time.ZoneBounds is wrong
	{"America/New_York", "2040-12-31"},
	{"Australia/Lord_Howe", "2040-12-31"},
}

// Random rules around the changes of clocks, second by second.
func TestRandomRules(t *testing.T) {
	for i, change := range changes {
		t.Run(change.zone+" "+change.day, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, uint64(i)))
			day, err := time.ParseInLocation(time.DateOnly, change.day, zone(t, change.zone))
			if err != nil {
				t.Fatal(err)
			}
			many := make([]model, 8)
			for i := range many {
				many[i] = randomModel(random, day)
			}
			compare(t, day.Add(-3*time.Hour), day.Add(6*time.Hour), time.Second, many...)
		})
	}
}

// randomModel writes a rule of sets, and remembers the sets. Hours and days are such that
// runs near day are likely.
func randomModel(random *rand.Rand, day time.Time) model {
	var text [6]string
	var sets [6][]int
	pick := func(i, low, high int) {
		for range 1 + random.IntN(4) {
			from := low + random.IntN(high-low+1)
			to, step := from+random.IntN(high-from+1), 1+random.IntN(min(9, high-low+1))
			switch random.IntN(3) {
			case 0:
				text[i], to = text[i]+fmt.Sprintf(",%d", from), from
			case 1:
				text[i], step = text[i]+fmt.Sprintf(",%d-%d", from, to), 1
			case 2:
				text[i] += fmt.Sprintf(",%d-%d/%d", from, to, step)
			}
			for n := from; n <= to; n += step {
				sets[i] = append(sets[i], n)
			}
		}
		text[i] = text[i][1:]
	}
	star := func(i, low, high int) {
		step := 1 + random.IntN(3)
		text[i] = fmt.Sprintf("*/%d", step)
		for n := low; n <= high; n += step {
			sets[i] = append(sets[i], n)
		}
	}
	open := [6]bool{}
	for i, bounds := range [6][2]int{{0, 59}, {0, 59}, {0, 4}, {day.Day(), day.Day() + 1}, {1, 12}, {0, 6}} {
		if open[i] = random.IntN(4) == 0 || i == 4 && random.IntN(4) > 0; open[i] {
			star(i, fields[i].min, fields[i].max)
		} else {
			pick(i, bounds[0], min(bounds[1], fields[i].max))
		}
	}
	if random.IntN(2) == 0 { // leave more to the hours
		text[3], text[4], text[5] = "?", "*", "*"
		open[3], open[5] = true, true
		for i := 3; i < 6; i++ {
			sets[i] = nil
			for n := fields[i].min; n <= fields[i].max; n++ {
				sets[i] = append(sets[i], n)
			}
		}
	}
	in := func(i, n int) bool { return slices.Contains(sets[i], n) }
	return model{
		rule:   strings.Join(text[:], " "),
		rhythm: open[1] || open[2],
		match: func(r reading) bool {
			day, weekday := in(3, r.day), in(5, int(r.weekday))
			days := day && weekday
			if !open[3] && !open[5] {
				days = day || weekday
			}
			return in(0, r.second) && in(1, r.minute) && in(2, r.hour) && in(4, int(r.month)) && days
		},
	}
}
