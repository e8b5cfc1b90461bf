package crontab

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// named are the rules that have a name.
var named = map[string]string{
	"@yearly":   "0 0 1 1 *",
	"@annually": "0 0 1 1 *",
	"@monthly":  "0 0 1 * *",
	"@weekly":   "0 0 * * 0",
	"@daily":    "0 0 * * *",
	"@midnight": "0 0 * * *",
	"@hourly":   "0 * * * *",
}

// Parse reads a rule; the package comment says how it is written. The error names the field
// that is wrong and what is allowed there. A rule whose day never comes, such as 30 February,
// is an error too.
func Parse(rule string) (*Schedule, error) {
	s := &Schedule{rule: rule}
	if err := s.parse(strings.Fields(rule)); err != nil {
		return nil, fmt.Errorf("crontab: rule %q: %w", rule, err)
	}
	return s, nil
}

func (s *Schedule) parse(words []string) error {
	if len(words) > 0 {
		prefix, name, _ := strings.Cut(words[0], "=")
		if prefix == "TZ" || prefix == "CRON_TZ" {
			if err := s.parseZone(name); err != nil {
				return err
			}
			words = words[1:]
		}
	}
	if len(words) == 0 || !strings.HasPrefix(words[0], "@") {
		return s.parseFields(words)
	}
	name := strings.ToLower(words[0])
	if name == "@every" {
		return s.parseEvery(words[1:])
	}
	if rule, ok := named[name]; ok && len(words) == 1 {
		return s.parseFields(strings.Fields(rule))
	}
	return fmt.Errorf("%q is not known; use @yearly, @monthly, @weekly, @daily or @hourly, each alone, or @every 90s", strings.Join(words, " "))
}

func (s *Schedule) parseZone(name string) error {
	if name == "" {
		return errors.New("the time zone is empty; name one, as in TZ=Europe/Berlin")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return fmt.Errorf("the time zone %q is not known to this machine; correct it, install the zones or import time/tzdata: %w", name, err)
	}
	s.zone = zone
	return nil
}

func (s *Schedule) parseEvery(words []string) error {
	every, err := time.ParseDuration(strings.Join(words, " "))
	if err != nil || every < time.Second {
		return fmt.Errorf("@every: %q is not allowed; use a duration of at least a second, such as 90s or 1h30m", strings.Join(words, " "))
	}
	s.every, s.rhythm = every, true
	return nil
}

func (s *Schedule) parseFields(words []string) error {
	switch len(words) {
	case len(fields):
	case len(fields) - 1:
		words = append([]string{"0"}, words...)
	default:
		return fmt.Errorf("there are %d fields; use 5 (minute, hour, day of the month, month, weekday) or 6 with the second in front", len(words))
	}
	sets := [len(fields)]*uint64{&s.second, &s.minute, &s.hour, &s.day, &s.month, &s.weekday}
	for i, word := range words {
		set, err := fields[i].parse(word)
		if err != nil {
			return err
		}
		*sets[i] = set
	}
	s.rhythm = open(words[1]) || open(words[2])
	s.eitherDay = !open(words[3]) && !open(words[5])
	if _, ok := s.from(0); !ok {
		return errors.New("day of the month: the months given never have such a day, so it would never run")
	}
	return nil
}

// open reports whether a field begins with all values, whatever its step takes of them.
func open(word string) bool { return word[0] == '*' || word[0] == '?' }
