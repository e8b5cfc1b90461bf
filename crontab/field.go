package crontab

import (
	"fmt"
	"strconv"
	"strings"
)

// A field says what one of the fields of a rule may hold.
type field struct {
	name      string
	min, max  int
	words     []string // for min and the numbers after it
	isDay     bool     // ? may stand for *
	isWeekday bool     // 7 is Sunday too
}

// fields are those of a rule in their order.
var fields = [...]field{
	{name: "second", max: 59},
	{name: "minute", max: 59},
	{name: "hour", max: 23},
	{name: "day of the month", min: 1, max: 31, isDay: true},
	{name: "month", min: 1, max: 12, words: strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
	{name: "weekday", max: 6, words: strings.Fields("sun mon tue wed thu fri sat"), isDay: true, isWeekday: true},
}

// parse reads the list of a field into a set of bits.
func (f *field) parse(text string) (uint64, error) {
	if f.isDay && text == "?" {
		text = "*"
	}
	var set uint64
	for item := range strings.SplitSeq(text, ",") {
		bits, err := f.item(item)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", f.name, err)
		}
		set |= bits
	}
	if f.isWeekday && set>>7 == 1 { // Sunday by its other number
		set = set&^(1<<7) | 1
	}
	return set, nil
}

// item reads a number, a range or *, each with or without a step.
func (f *field) item(text string) (uint64, error) {
	span, stepText, stepped := strings.Cut(text, "/")
	from, to, err := f.span(span, stepped)
	if err != nil {
		return 0, err
	}
	step := 1
	if stepped {
		size := f.max - f.min + 1
		if step, err = number(stepText); err != nil || step < 1 || step > size {
			return 0, fmt.Errorf("the step in %q is not allowed; use 1 to %d", text, size)
		}
	}
	var set uint64
	for n := from; n <= to; n += step {
		set |= 1 << n
	}
	return set, nil
}

// span reads what is in front of a step: first and last number. A single number that has a
// step goes on to the end of the field.
func (f *field) span(text string, stepped bool) (from, to int, err error) {
	if text == "*" {
		return f.min, f.max, nil
	}
	first, last, isRange := strings.Cut(text, "-")
	if from, err = f.value(first); err != nil {
		return 0, 0, err
	}
	if !isRange {
		if to = from; stepped {
			to = max(from, f.max)
		}
		return from, to, nil
	}
	if to, err = f.value(last); err != nil {
		return 0, 0, err
	}
	if f.isWeekday && to == 0 && from > 0 {
		to = 7 // fri-sun
	}
	if from > to {
		return 0, 0, fmt.Errorf("the range %q runs backwards; write two: %d-%d,%d-%d", text, from, f.max, f.min, to)
	}
	return from, to, nil
}

// value reads a number or a word.
func (f *field) value(text string) (int, error) {
	for i, word := range f.words {
		if strings.EqualFold(text, word) {
			return f.min + i, nil
		}
	}
	n, err := number(text)
	if err != nil || n < f.min || n > f.limit() {
		return 0, fmt.Errorf("%q is not allowed; use %s", text, f.allowed())
	}
	return n, nil
}

// limit is the highest number that may be written.
func (f *field) limit() int {
	if f.isWeekday {
		return 7
	}
	return f.max
}

// allowed says for errors which values there are.
func (f *field) allowed() string {
	text := fmt.Sprintf("%d to %d", f.min, f.limit())
	if f.words != nil {
		text += fmt.Sprintf(" or %s to %s", f.words[0], f.words[len(f.words)-1])
	}
	return text
}

// number reads decimal digits and nothing else.
func number(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 8)
	return int(n), err
}
