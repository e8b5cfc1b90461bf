package workerman

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workerman-go/workerman/websocket"
)

type onlyConnect struct{ textProtocol }

func (onlyConnect) OnConnect(*Conn) {}

type onlyClose struct{ textProtocol }

func (onlyClose) OnClose(*Conn) {}

type connectAndClose struct{ textProtocol }

func (connectAndClose) OnConnect(*Conn) {}
func (connectAndClose) OnClose(*Conn)   {}

var _ ProtocolHooks = connectAndClose{}

// A protocol with one of the two hooks is told of that alone.
func TestProtocolHooks(t *testing.T) {
	for _, c := range []struct {
		name            string
		protocol        Protocol
		connect, closed bool
	}{
		{"no protocol", nil, false, false},
		{"none", textProtocol{}, false, false},
		{"OnConnect", onlyConnect{}, true, false},
		{"OnClose", onlyClose{}, false, true},
		{"both", connectAndClose{}, true, true},
	} {
		connect, closed := protocolHooks(c.protocol)
		if (connect != nil) != c.connect || (closed != nil) != c.closed {
			t.Errorf("%s: got %t and %t, want %t and %t", c.name, connect != nil, closed != nil, c.connect, c.closed)
		}
		if got := hasHooks(c.protocol); got != (c.connect || c.closed) {
			t.Errorf("%s: hasHooks: got %t, want %t", c.name, got, c.connect || c.closed)
		}
	}
}

// Another worker cannot be inside of one that NewWorker did not make.
func TestInsideOfAWorkerMadeWithoutNewWorker(t *testing.T) {
	m := &Master{Logger: discardLogger()}
	m.NewWorker("").Inside = new(Worker)
	if _, err := m.plan(); err == nil || !strings.Contains(err.Error(), "not one of the same master") {
		t.Errorf("plan: got %v, want that the worker is not one of the same master", err)
	}
}

// What a connection that has closed was part of is forgotten, with groups and users that are empty
// then; the connection itself still knows it, for OnClose.
func TestHubForgets(t *testing.T) {
	s := new(connSettings)
	h := &s.hub
	member := func(uid string, groups ...string) *Conn {
		c := &Conn{settings: s}
		x := c.ensureRare()
		x.uid, x.groups = uid, make(map[string]struct{})
		add(&h.users, uid, c)
		for _, group := range groups {
			x.groups[group] = struct{}{}
			add(&h.groups, group, c)
		}
		return c
	}
	ann, bob := member("ann", "all", "red"), member("bob", "all")
	h.forget(new(Conn)) // was part of nothing
	h.forget(ann)
	if len(h.groups) != 1 || len(h.groups["all"]) != 1 || len(h.users) != 1 {
		t.Errorf("got the groups %v and users %v, want bob in all alone", h.groups, h.users)
	}
	if got := ann.Groups(); !slices.Equal(got, []string{"all", "red"}) || ann.UID() != "ann" {
		t.Errorf("got groups %q and user %q of the closed connection, want all, red and ann", got, ann.UID())
	}
	bob.Leave("all")
	bob.Bind("")
	if len(h.groups) != 0 || len(h.users) != 0 {
		t.Errorf("got the groups %v and users %v, want none", h.groups, h.users)
	}
}

// limitsOfServers are the limits that clients do not have, and why.
var limitsOfServers = map[string]string{
	"MaxConnections":      "a client has one connection",
	"MaxConnectionsPerIP": "a client has one connection",
	"HandshakeTimeout":    "ConnectTimeout bounds all handshakes of a client",
}

// Each of the Limits is refused if it is negative, and is one of ClientOptions that reaches the
// client's connections, or it is said why not.
func TestEachLimit(t *testing.T) {
	known := map[string]bool{}
	for field := range reflect.TypeFor[Limits]().Fields() {
		name := field.Name
		known[name] = true
		if !slices.Contains([]reflect.Kind{reflect.Int, reflect.Int64}, field.Type.Kind()) {
			t.Errorf("Limits.%s: got the type %v, want one that can be negative, or a test of its own", name, field.Type)
			continue
		}
		var negative Limits
		reflect.ValueOf(&negative).Elem().FieldByIndex(field.Index).SetInt(-1)
		if err := negative.check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Limits.%s of -1: got %v, want an error that names it", name, err)
		}

		var o ClientOptions
		option, why := reflect.ValueOf(&o).Elem().FieldByName(name), limitsOfServers[name]
		if option.IsValid() == (why != "") {
			t.Errorf("Limits.%s: got a field of ClientOptions: %t, and for servers only as %q, want one of the two", name, option.IsValid(), why)
		}
		if !option.IsValid() {
			continue
		}
		value := int64(time.Second)
		if field.Type == reflect.TypeFor[FullPolicy]() {
			value = int64(CloseWhenFull)
		}
		option.SetInt(value)
		config, err := newClientConfig(new(Master), "tcp", "tcp://127.0.0.1:1", o)
		if err != nil {
			t.Fatal(err)
		}
		if got := reflect.ValueOf(config.settings.limits).FieldByIndex(field.Index).Int(); got != value {
			t.Errorf("ClientOptions.%s: got %d in the settings of connections, want %d", name, got, value)
		}
	}
	for name := range limitsOfServers {
		if !known[name] {
			t.Errorf("limitsOfServers: got %s, want fields of Limits", name)
		}
	}
}

// builtinProtocols are the schemes of protocols before a test registers one.
var builtinProtocols = slices.Collect(maps.Keys(protocols))

// Each scheme that is built in is named where people look for it.
func TestSchemesAreNamed(t *testing.T) {
	var rows []string
	for line := range strings.Lines(textOf(t, "README.md")) {
		if strings.HasPrefix(line, "| `") {
			rows = append(rows, line)
		}
	}
	_, section, _ := strings.Cut(textOf(t, "doc.go"), "\n// # Protocols\n")
	section, _, _ = strings.Cut(section, "\n// # ")
	var comment string
	for _, d := range parsed(t, "worker.go").Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "NewWorker" && f.Recv == nil {
			comment = f.Doc.Text()
		}
	}
	schemes := slices.Clone(builtinProtocols)
	for _, d := range dialogTypes {
		schemes = slices.Concat(schemes, d.schemes, d.secure)
	}
	if len(schemes) < 7 {
		t.Fatalf("got the schemes %q, want those of protocols and dialogs", schemes)
	}
	for _, scheme := range schemes {
		for _, place := range []struct{ name, text, pattern string }{
			{"the table of README.md", strings.Join(rows, ""), "`" + scheme + "://"},
			{"the section Protocols of doc.go", section, `\b` + scheme + `\b`},
			{"the comment of NewWorker", comment, `\b` + scheme + `\b`},
		} {
			if !regexp.MustCompile(place.pattern).MatchString(place.text) {
				t.Errorf("%s: got no word of the scheme %s, want it named", place.name, scheme)
			}
		}
	}
}

func textOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parsed(t *testing.T, name string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// closeCodes are the errors that a WebSocket closes with, and the code that its peer gets.
var closeCodes = map[string]struct {
	err  error
	code int
}{
	"nil":                       {nil, websocket.CloseNormal},
	"ErrIdle":                   {ErrIdle, websocket.CloseGoingAway},
	"ErrTooLarge":               {ErrTooLarge, websocket.CloseTooBig},
	"errStopping":               {errStopping, websocket.CloseGoingAway},
	"errRestarting":             {errRestarting, websocket.CloseServiceRestart},
	"PanicError":                {&PanicError{Value: "x"}, websocket.CloseInternalError},
	"websocket.CloseError":      {&websocket.CloseError{Code: websocket.ClosePolicyViolation}, websocket.ClosePolicyViolation},
	"an error of the program's": {errors.New("no JSON"), websocket.CloseInvalidData},
}

// neverSent are the errors with which no WebSocket is closed by a close frame, and why.
var neverSent = map[string]string{
	"ErrClosed":                "is returned to who sends",
	"ErrBufferFull":            "is returned to who sends; a full buffer has no room for a close frame either",
	"ErrHandshake":             "ends a connection before it is a WebSocket",
	"ErrLinger":                "comes after the close frame",
	"ErrDestroyed":             "drops the connection",
	"ErrSkip":                  "closes nothing",
	"ErrNoRequest":             "is returned to who answers",
	"ErrNotRunning":            "is returned to who starts or connects",
	"ErrConnectTimeout":        "ends an attempt before it is a WebSocket",
	"websocket.ErrOpcode":      "is returned to who sends",
	"websocket.ErrControlSize": "is returned to who sends",
	"websocket.ErrCloseSent":   "is returned to who sends, as ErrClosed",
	"websocket.ErrState":       "refuses a connection that moves; the old process keeps it",
}

// Each exported error says which close code it gives, or why it gives none: what has no case of its
// own is told to the peer as invalid data, for which the peer is blamed.
func TestCloseCodes(t *testing.T) {
	for name, c := range closeCodes {
		if got, _ := closeCode(c.err); got != c.code {
			t.Errorf("%s: got the code %d, want %d", name, got, c.code)
		}
		if got, _ := closeCode(fmt.Errorf("wrapped: %w", c.err)); c.err != nil && got != c.code {
			t.Errorf("%s, wrapped: got the code %d, want %d", name, got, c.code)
		}
	}
	exported := slices.Concat(errorsIn(t, "", "*.go"), errorsIn(t, "websocket.", "websocket/*.go"))
	for _, name := range exported {
		_, coded := closeCodes[name]
		if why := neverSent[name]; coded == (why != "") {
			t.Errorf("%s: got a close code: %t, and never sent as %q, want one of the two", name, coded, why)
		}
	}
	for name := range neverSent {
		if !slices.Contains(exported, name) {
			t.Errorf("neverSent: got %s, want errors that there are: %q", name, exported)
		}
	}
}

// errorsIn lists the exported errors that files declare, by their names with a prefix.
func errorsIn(t *testing.T, prefix, pattern string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("got the files %q, %v, want those of %s", files, err, pattern)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, d := range parsed(t, file).Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(name.Name, "Err") {
						names = append(names, prefix+name.Name)
					}
				}
			}
		}
	}
	return names
}
