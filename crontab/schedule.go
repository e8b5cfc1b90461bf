package crontab

import "time"

// A Schedule is a rule that was understood. It does not change, and its methods may be called
// from every goroutine.
type Schedule struct {
	rule string
	zone *time.Location // nil: that of the time asked about

	// The allowed values of each field, a bit for each.
	second, minute, hour, day, month, weekday uint64

	eitherDay bool // day or weekday is enough
	rhythm    bool // follows every tick of the clock, also where local times are missing or repeated

	every  time.Duration // not 0: an interval in place of the fields
	anchor time.Time     // that the intervals count from; zero: the time asked about
}

// lastYear is where the calendar ends, so that no time overflows.
const lastYear = 9999

// String is the rule as it was written.
func (s *Schedule) String() string { return s.rule }

// Next is the first time of the rule after t, and not t itself: a whole second in the rule's
// time zone, or in that of t if the rule has none. Of "@every" it is t and the interval.
// After the year 9999 there is none, and Next is the zero Time.
func (s *Schedule) Next(t time.Time) time.Time {
	if s.zone != nil {
		t = t.In(s.zone)
	}
	t = t.Round(0)
	if t.Year() > lastYear {
		return time.Time{}
	}
	if s.every > 0 {
		return t.Add(s.untilTick(t))
	}
	wall := wallOf(t) + 1
	for {
		begin, end := zoneBounds(t)
		if !s.rhythm && !begin.IsZero() {
			// What the clock showed before it was set back has had its run.
			wall = max(wall, wallOf(begin.Add(-time.Second))+1)
		}
		match, ok := s.from(wall)
		if !ok {
			return time.Time{}
		}
		if next := time.Unix(match-offset(t), 0).In(t.Location()); end.IsZero() || next.Before(end) {
			return next
		}
		t, wall = end, wallOf(end)
		if !s.rhythm && match < wall { // it falls into the gap
			return t
		}
	}
}

// untilTick is how long after t the next interval ends.
func (s *Schedule) untilTick(t time.Time) time.Duration {
	if s.anchor.IsZero() {
		return s.every
	}
	past := t.Sub(s.anchor) % s.every
	if past < 0 {
		past += s.every
	}
	return s.every - past
}

// anchored is the schedule with its intervals counted from t.
func (s *Schedule) anchored(t time.Time) *Schedule {
	counted := *s
	counted.anchor = t
	return &counted
}

// zoneBounds is between which times the offset of t's zone is the same for certain; a zero
// Time means for ever. Where a zone's rules go on without end, package time has bounds at the
// turns of years too, and in leap years that at the end of 30 December, although 31 December
// is said to lie before it. Nothing changes until that day has ended.
func zoneBounds(t time.Time) (begin, end time.Time) {
	const day = 24 * time.Hour
	begin, end = t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		end = t.Truncate(day).Add(day)
	}
	return begin, end
}

// offset is how far the clocks of t's zone are ahead of UTC, in seconds.
func offset(t time.Time) int64 {
	_, seconds := t.Zone()
	return int64(seconds)
}

// wallOf is what the clock on the wall shows at t, as the Unix time at which one in UTC
// shows the same.
func wallOf(t time.Time) int64 { return t.Unix() + offset(t) }
