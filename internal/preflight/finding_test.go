package preflight

import (
	"encoding/json"
	"strings"
	"testing"
)

var list = []Finding{
	{OK, "kernel", "6.1.0", ""},
	{Warning, "open files", "few <1024>", "LimitNOFILE=65536"},
	{OK, "disk", "free", ""},
}

func TestWrite(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, list); err != nil {
		t.Fatal(err)
	}
	want := "ok       kernel      6.1.0\n" +
		"warning  open files  few <1024>\n" +
		"                     -> LimitNOFILE=65536\n" +
		"ok       disk        free\n" +
		"1 warning, 2 ok\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestWriteJSON(t *testing.T) {
	var b strings.Builder
	if err := WriteJSON(&b, list); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"level": "warning"`) || !strings.Contains(b.String(), "<1024>") {
		t.Error(b.String())
	}
	var back []Finding
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || len(back) != 3 || back[1] != list[1] {
		t.Errorf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`[{"level":"bad"}]`), &back); err == nil {
		t.Error("a level that does not exist is taken")
	}
	b.Reset()
	if err := WriteJSON(&b, nil); err != nil || b.String() != "[]\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestWorst(t *testing.T) {
	if w := Worst(list); w != Warning {
		t.Error(w)
	}
	if w := Worst(nil); w != OK {
		t.Error(w)
	}
	if s := Level(9).String(); s != "Level(9)" {
		t.Error(s)
	}
}
