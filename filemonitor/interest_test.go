package filemonitor

import (
	"runtime/debug"
	"slices"
	"testing"
)

func TestInterestInFiles(t *testing.T) {
	in := &interest{dir: "/app", files: []string{"*.html", "config/*.json", "public/"}, embeds: []embed{
		{"/app/web", "all:dist"}, {"/app", "logo.*"}, {"/app", "sql/*.sql"},
	}}
	for file, want := range map[string]effect{
		"/app/main.go": builds, "/app/chat/room.go": builds, "/app/go.mod": builds, "/app/go.sum": builds, "/app/go.work": builds,
		"/app/fast.s": builds, "/app/x.h": builds, "/other/module.go": builds,
		"/app/main_test.go": nothing, "/app/_old.go": nothing, "/app/.main.go": nothing, "/app/.#main.go": nothing,
		"/app/#main.go#": nothing, "/app/main.go~": nothing, "/app/main.go.swp": nothing, "/app/main.go.tmp": nothing,
		"/app/4913": nothing, "/app/main.go___jb_tmp___": nothing, "/app/notes.txt": nothing, "/app/app": nothing,
		"/app/index.html": reloads, "/app/views/deep/index.html": reloads, "/app/index.html~": nothing,
		"/app/config/a.json": reloads, "/app/config/deep/a.json": nothing, "/app/a.json": nothing, "/app/x/config/a.json": nothing,
		"/app/public/a/b.css": reloads, "/app/publicly": nothing, "/app/x/public/b.css": nothing,
		"/app/web/dist/js/a.js": builds, "/app/dist/a.js": nothing, "/app/logo.png": builds, "/app/web/logo.png": nothing,
		"/app/sql/1.sql": builds, "/app/sql/deep/1.sql": nothing,
	} {
		if got := in.file(file); got != want {
			t.Errorf("%s: %d, want %d", file, got, want)
		}
	}
	in.noBuild = true
	for file, want := range map[string]effect{"/app/main.go": nothing, "/app/logo.png": nothing, "/app/index.html": reloads} {
		if got := in.file(file); got != want {
			t.Errorf("without building, %s: %d, want %d", file, got, want)
		}
	}
}

func TestInterestInFolders(t *testing.T) {
	in := &interest{exclude: []string{"data"}}
	for name, want := range map[string]bool{
		"chat": true, "testdata": true, ".git": false, "_build": false, "node_modules": false, "vendor": false, "data": false,
	} {
		if got := in.folder(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFlagsOfTheFirstBuildAreKept(t *testing.T) {
	got := flagsOf(&debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "-race", Value: "true"}, {Key: "-tags", Value: "a,b"}, {Key: "vcs", Value: "git"}, {Key: "-ldflags", Value: "-s -w"},
		{Key: "-buildmode", Value: "exe"},
	}})
	if want := []string{"-race=true", "-tags=a,b", "-ldflags=-s -w"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func FuzzInterest(f *testing.F) {
	f.Add("/app/a", "*.html", "all:dist")
	f.Add("../../..", "[", "/")
	f.Add("", "a/", ".")
	f.Fuzz(func(t *testing.T, file, pattern, embedded string) {
		with := &interest{dir: "/app", files: []string{pattern}, embeds: []embed{{"/app", embedded}}}
		without := &interest{dir: "/app", embeds: with.embeds}
		if (with.file(file) == builds) != (without.file(file) == builds) {
			t.Error("a pattern of files that are read changes what is built")
		}
	})
}
