package systemd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/workerman-go/workerman/internal/socket"
)

// Defaults of UnitOptions.
const (
	DefaultFiles       = 1 << 20 // fs.nr_open of most systems
	DefaultWatchdog    = 30 * time.Second
	DefaultStopTimeout = 60 * time.Second
	stopMargin         = 30 * time.Second
)

// UnitOptions say what a unit is for. Zero values mean the defaults.
type UnitOptions struct {
	Name             string           // default: that of the program's file
	Description      string           // default: Name
	Program          string           // absolute path of the executable
	Args             []string         // behind the command start
	WorkingDirectory string           // absolute; default /
	User, Group      string           // default: root, which workers with a User need
	PidFile, LogFile string           // the program's own; their folders below /run and /var/log are made
	StopTimeout      time.Duration    // the program's own; systemd kills what is left 30 s later. Default 60 s
	Files            uint64           // open files of a process; default 1048576
	Watchdog         time.Duration    // default 30 s; below 0 none
	Listen           []socket.Address // where the workers listen
	Sockets          bool             // SocketUnit opens them
}

func (o *UnitOptions) check() error {
	if !filepath.IsAbs(o.Program) {
		return fmt.Errorf("the program %q is no absolute path", o.Program)
	}
	if strings.ContainsAny(o.Program, "\"'\\") {
		return fmt.Errorf("systemd runs no program whose path has a quote or a backslash: %s", o.Program)
	}
	if o.Name == "" {
		o.Name = filepath.Base(o.Program)
	}
	if o.Description == "" {
		o.Description = o.Name
	}
	if o.WorkingDirectory == "" {
		o.WorkingDirectory = "/"
	}
	if !filepath.IsAbs(o.WorkingDirectory) {
		return fmt.Errorf("the working directory %q is no absolute path", o.WorkingDirectory)
	}
	for what, text := range map[string]string{"program": o.Program, "working directory": o.WorkingDirectory, "user": o.User, "group": o.Group, "pid file": o.PidFile, "log file": o.LogFile} {
		if strings.ContainsFunc(text, unicode.IsControl) || strings.HasSuffix(text, `\`) {
			return fmt.Errorf("a unit cannot name the %s %q", what, text)
		}
	}
	if o.Files == 0 {
		o.Files = DefaultFiles
	}
	if o.Watchdog == 0 {
		o.Watchdog = DefaultWatchdog
	}
	if o.StopTimeout <= 0 {
		o.StopTimeout = DefaultStopTimeout
	}
	return nil
}

// Unit is the text of a unit for the program, with the reason of each line.
func Unit(o UnitOptions) (string, error) {
	if err := o.check(); err != nil {
		return "", err
	}
	var u unit
	u.section("Unit")
	u.set("Description", plain(o.Description))
	u.because("Addresses of this machine can be bound and names be looked up.")
	u.set("Wants", "network-online.target")
	u.set("After", "network-online.target")
	if o.Sockets {
		u.because("The sockets stay open while the service does not run, so clients wait instead.")
		u.set("Requires", plain(o.Name)+".socket")
		u.set("After", plain(o.Name)+".socket")
	}

	u.section("Service")
	u.because("The master tells when all workers serve, when it reloads and when it stops.")
	u.set("Type", "notify")
	u.set("NotifyAccess", "main")
	start := word(o.Program) + " start"
	for _, arg := range o.Args {
		start += " " + argument(arg)
	}
	u.set("ExecStart", start)
	u.because("Waits until the new processes serve; if they cannot, the old ones go on and this fails.")
	u.set("ExecReload", word(o.Program)+" reload")
	u.set("WorkingDirectory", plain(o.WorkingDirectory))
	if o.User != "" {
		u.set("User", plain(o.User))
	}
	if o.Group != "" {
		u.set("Group", plain(o.Group))
	}
	if name := folderBelow("/run", o.PidFile); name != "" {
		u.because("The folder of the pid file, made at each start.")
		u.set("RuntimeDirectory", word(name))
	}
	if name := folderBelow("/var/log", o.LogFile); name != "" {
		u.set("LogsDirectory", word(name))
	}
	u.because("A stop asks the master alone, which ends its processes in good order.")
	u.set("KillMode", "mixed")
	u.set("TimeoutStopSec", seconds(o.StopTimeout+stopMargin))
	u.set("Restart", "on-failure")
	u.set("RestartSec", "1s")
	u.because("A process that needs too much memory is replaced by the master; the others go on.")
	u.set("OOMPolicy", "continue")
	if o.Watchdog > 0 {
		u.because("Restarts the service if the master hangs.")
		u.set("WatchdogSec", seconds(o.Watchdog))
	}
	u.because("Each connection is an open file.")
	u.set("LimitNOFILE", strconv.FormatUint(o.Files, 10))
	if o.low() && !o.Sockets && o.User != "" && o.User != "root" && o.User != "0" {
		u.because("Ports below 1024, without being root.")
		u.set("AmbientCapabilities", "CAP_NET_BIND_SERVICE")
	}
	u.because("What a server has no need of. More of it is in systemd.exec(5) if the program allows:",
		"ProtectSystem=strict with ReadWritePaths=, ProtectHome=, PrivateTmp=.")
	for _, name := range []string{
		"NoNewPrivileges", "ProtectControlGroups", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
		"RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality",
	} {
		u.set(name, "yes")
	}
	u.set("SystemCallArchitectures", "native")

	u.section("Install")
	u.set("WantedBy", "multi-user.target")
	return u.String(), nil
}

// folderBelow is the folder of a file that lies in one below root, "" if it does not.
func folderBelow(root, file string) string {
	name, ok := strings.CutPrefix(filepath.Dir(filepath.Clean(file)), root+"/")
	if !ok {
		return ""
	}
	return name
}

// SocketUnit is the text of the unit that opens the sockets of o.Listen for the service.
func SocketUnit(o UnitOptions) (string, error) {
	if err := o.check(); err != nil {
		return "", err
	}
	if len(o.Listen) == 0 {
		return "", errors.New("no worker listens, so there are no sockets to open")
	}
	var u unit
	u.section("Unit")
	u.set("Description", "Sockets of "+plain(o.Description))
	u.section("Socket")
	unixes := false
	for _, a := range o.Listen {
		name, err := listen(a)
		if err != nil {
			return "", err
		}
		key := "ListenStream"
		if a.Network == "udp" {
			key = "ListenDatagram"
		}
		u.set(key, plain(name))
		unixes = unixes || a.Network == "unix"
	}
	u.because("As many clients may wait as net.core.somaxconn allows.")
	u.set("Backlog", "65535")
	if unixes {
		u.because("Who may connect to the Unix sockets: everybody who may enter their folder.")
		u.set("SocketMode", "0666")
	}
	u.section("Install")
	u.set("WantedBy", "sockets.target")
	return u.String(), nil
}

// low reports whether a port is one of those that only root may bind.
func (o *UnitOptions) low() bool {
	for _, a := range o.Listen {
		if a.Network != "unix" && a.Port > 0 && a.Port < 1024 {
			return true
		}
	}
	return false
}

// listen is how a socket's unit writes an address.
func listen(a socket.Address) (string, error) {
	if a.Network == "unix" {
		if !strings.HasPrefix(a.Path, "/") && !strings.HasPrefix(a.Path, "@") || strings.ContainsFunc(a.Path, unicode.IsControl) {
			return "", fmt.Errorf("%q: a socket's unit needs an absolute path", a.Path)
		}
		return a.Path, nil
	}
	if a.Port == 0 {
		return "", fmt.Errorf("%s: a socket's unit needs a port that is known", a)
	}
	host := a.Host
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return "", fmt.Errorf("%s: a socket's unit needs an IP address instead of a name", a)
	}
	return net.JoinHostPort(host, strconv.Itoa(int(a.Port))), nil
}

// unit is the text of a unit.
type unit struct{ strings.Builder }

func (u *unit) section(name string) {
	if u.Len() > 0 {
		u.WriteByte('\n')
	}
	u.WriteString("[" + name + "]\n")
}

func (u *unit) because(lines ...string) {
	for _, line := range lines {
		u.WriteString("# " + line + "\n")
	}
}

func (u *unit) set(name, value string) { u.WriteString(name + "=" + value + "\n") }

// plain is a text in a setting that takes the whole line: % begins a specifier.
func plain(s string) string {
	return strings.ReplaceAll(strings.Join(strings.FieldsFunc(s, unicode.IsControl), " "), "%", "%%")
}

// word is one word of a command line.
func word(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// special reports whether a character separates or quotes words, or would end a command.
func special(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`"'\;`, r)
}

// argument is a word behind the program, where $ begins a variable.
func argument(s string) string { return strings.ReplaceAll(word(s), "$", "$$") }

// seconds is a duration, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10) + "s"
}
