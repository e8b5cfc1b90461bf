package examples

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestCrontab(t *testing.T) {
	onEveryEngine(t, func(t *testing.T, engine string) {
		p := start(t, engine, "crontab", "-listen", "text://"+anyPort, "-rule", "* * * * * *", "-report", "@every 1s")
		c := dial(t, "tcp", p.address())
		for range 2 {
			if line := c.line(); !strings.HasPrefix(line, "It is ") {
				t.Errorf("the job says %q", line)
			}
		}
		c.send("next\n")
		line := c.line()
		for strings.HasPrefix(line, "It is ") {
			line = c.line()
		}
		if _, err := time.Parse("next at "+time.RFC3339, line); err != nil {
			t.Errorf("it says %q: %v", line, err)
		}
		p.says("all is well on ")
		p.endsWell(syscall.SIGTERM)
	})
}

func TestCrontabShowsTimes(t *testing.T) {
	p := start(t, "native", "crontab", "-rule", "TZ=Europe/Berlin 30 2 * * *", "-next", "3", "-after", "2027-03-26T12:00:00Z")
	if status := p.Status(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	p.says("Sat 2027-03-27 02:30:00 CET\nSun 2027-03-28 03:00:00 CEST\nMon 2027-03-29 02:30:00 CEST\n")
}

func TestCrontabRefusesAWrongRule(t *testing.T) {
	start(t, "native", "crontab", "-listen", "text://"+anyPort, "-rule", "* 25 * * *").
		refuses(`worker "crontab"`, `rule "* 25 * * *": hour: "25" is not allowed; use 0 to 23`)
}
