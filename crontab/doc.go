// Package crontab runs functions by the calendar: at three every night, every five seconds,
// on weekdays at nine in Berlin.
//
//	backup, err := crontab.New("0 3 * * *", func() { … })
//	berlin, err := crontab.New("TZ=Europe/Berlin 30 8 * * mon-fri", func() { … })
//
// A run is a callback of the event loop: one at a time with the others, so that a job never
// overlaps itself, and it must not block. Work that does belongs on a goroutine, as by
// workerman.Async; then two runs of it may overlap.
//
// # Rules
//
// A rule has five fields, or six with the second in front; without it a run is at second 0.
//
//	second            0-59
//	minute            0-59
//	hour              0-23
//	day of the month  1-31
//	month             1-12 or jan to dec
//	weekday           0-7 or sun to sat; 0 and 7 are Sunday
//
// A field is a list, with commas, of numbers (5), ranges (1-5) and * for all. A step takes
// every n-th: */15, 10-40/5, and 5/15 for 5-59/15. Steps count from the start of the range in
// every hour, day or month anew, so */7 in the minutes is 56 and then 0. In the two fields of
// days ? may stand for *. Small and capital letters are the same.
//
// If both fields of days are restricted, one of them is enough: "0 0 13 * fri" is every 13th
// and every Friday. As in other crons, a field that begins with * does not count as
// restricted, and then both have to match: "0 0 */2 * fri" is a Friday with an odd date.
//
// @yearly (or @annually), @monthly, @weekly, @daily (or @midnight) and @hourly are rules of
// that kind. "@every 90s" is no time of the calendar but an interval, from the start on, of
// at least a second.
//
// # Time zones
//
// A rule counts in the zone in front of it, TZ=Europe/Berlin (or CRON_TZ=…), else in
// Options.Location, else in that of the machine. Where clocks are changed for summer, it
// depends on whether a rule means a time of day or a rhythm.
//
// If both hour and minute are given as numbers, it means times of day. What falls into the
// gap, when clocks are set forward, runs once right after it: "30 2 * * *" at 3:00 in
// Europe. What comes twice, when they are set back, runs the first time only.
//
// If the hour or the minute begins with *, as in "0 * * * *", it means a rhythm and follows
// every tick of the clock on the wall: 23 runs on the short day, 25 on the long one.
//
// # Clocks
//
// A job looks at the system's clock at least twice a minute, so it notices when that is set.
// Set forward, what was jumped over is late: see Options.Late. Set back, a job at a time of
// day does not run twice unless it was by more than 3 hours; one with a rhythm goes on in
// the new time, after a minute at most.
package crontab
