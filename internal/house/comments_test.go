package house

import (
	"fmt"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxColumns is how wide a comment may be; a tab counts as tabWidth.
const (
	maxColumns = 120
	tabWidth   = 4
)

// fragmentFiles have comments without a subject still, wideFiles too wide ones. The lists may only
// get shorter.
var fragmentFiles, wideFiles []string

// fragments finds comments behind code that begin with "of" and so leave out what they are about:
//
//	timer *loop.Timer // of the next start
//
// says less than
//
//	startTimer *loop.Timer // starts the next attempt
func fragments(file goFile) (list []string, err error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file.name, file.text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	lines := file.lines()
	for _, group := range parsed.Comments {
		at := set.Position(group.Pos())
		before := lines[at.Line-1][:at.Column-1]
		if strings.TrimSpace(before) != "" && strings.HasPrefix(group.List[0].Text, "// of ") {
			list = append(list, fmt.Sprintf("%s:%d: %s", file.name, at.Line, group.List[0].Text))
		}
	}
	return list, nil
}

// wide finds lines with comments that are too wide. What is indented in a comment is code or
// something to type, which is never broken.
func wide(file goFile) (list []string) {
	for i, line := range file.lines() {
		text := strings.TrimLeft(line, "\t")
		if !strings.HasPrefix(text, "// ") || strings.HasPrefix(text, "//  ") {
			continue
		}
		columns := utf8.RuneCountInString(text) + tabWidth*(len(line)-len(text))
		if columns > maxColumns {
			list = append(list, fmt.Sprintf("%s:%d: got a comment of %d columns, want at most %d", file.name, i+1, columns, maxColumns))
		}
	}
	return list
}

func TestCommentsHaveSubjects(t *testing.T) {
	files := goFiles(t)
	missing(t, fragmentFiles, files)
	for _, file := range files {
		if file.test() {
			continue
		}
		list, err := fragments(file)
		if err != nil {
			t.Fatal(err)
		}
		if notOnList(t, fragmentFiles, file.name, len(list) == 0) && len(list) > 0 {
			t.Errorf("say what it is that is \"of\" something:\n%s", strings.Join(list, "\n"))
		}
	}
}

func TestCommentsAreNarrow(t *testing.T) {
	files := goFiles(t)
	missing(t, wideFiles, files)
	for _, file := range files {
		list := wide(file)
		if notOnList(t, wideFiles, file.name, len(list) == 0) && len(list) > 0 {
			t.Error(strings.Join(list, "\n"))
		}
	}
}

func TestBadCommentsAreFound(t *testing.T) {
	file := goFile{"x.go", `package x

// Of all comments this is none behind code,
// of which there are more.
type x struct {
	a int // of the next start
	b int // the offset
	c string // of` + "\n\t// of a block\n}\n"}
	got, err := fragments(file)
	if want := []string{"x.go:6: // of the next start"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	long := strings.Repeat("x", maxColumns-len("// "))
	file.text = "// " + long + "\n\t// " + long[tabWidth:] + "\n\t// " + long[tabWidth-1:] + "\n//\t" + long + "\ncode() // " + long + "\n"
	got = wide(file)
	if want := []string{"x.go:3: got a comment of 121 columns, want at most 120"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
