package workerman

import (
	"crypto/tls"
	"log/slog"

	"github.com/workerman-go/workerman/internal/tlsfiles"
)

// ServerTLS are the settings of an encrypted worker. The zero value means no encryption, unless
// the address says otherwise, as https:// does.
//
// The files are looked at every 10 seconds, when a client connects, and read again if they
// have changed: a renewed certificate needs no restart. If the new ones are not usable, an
// error is logged and the old ones stay in use.
type ServerTLS struct {
	// CertFile holds the certificate and behind it the intermediate ones, in PEM.
	CertFile string
	// KeyFile holds the private key of CertFile. Default: it is in CertFile too.
	KeyFile string
	// Certificates are further pairs. A client gets the first, beginning with CertFile, that
	// fits the name it asks for and the algorithms it knows, else the first.
	Certificates []CertificateFiles
	// ClientCAFile holds the authorities, in PEM, whose certificates clients have to show.
	ClientCAFile string
	// ClientAuth says what is asked of clients. Default: nothing, and with ClientCAFile
	// tls.RequireAndVerifyClientCert.
	ClientAuth tls.ClientAuthType
	// TicketSecret is what the keys of session tickets are derived from, at least 16 bytes.
	// Workers of one name on machines with one secret continue each other's sessions; the
	// keys change every 12 hours. Default: random, and the same in all processes until the
	// master ends.
	TicketSecret []byte
	// Config is for everything else. It is copied. Its certificates come behind those of
	// the files, and its callbacks run on a goroutine of the handshake. Where MinVersion
	// is 0 it is TLS 1.2, and where NextProtos is empty HTTP and WebSocket name http/1.1.
	Config *tls.Config
}

// CertificateFiles are the files of a certificate and of its private key, in PEM. One file
// may hold both: KeyFile is CertFile by default.
type CertificateFiles struct {
	CertFile string
	KeyFile  string
}

// used reports whether anything is set.
func (t *ServerTLS) used() bool {
	return t.CertFile != "" || t.KeyFile != "" || t.ClientCAFile != "" || t.ClientAuth != 0 ||
		t.Config != nil || len(t.Certificates)+len(t.TicketSecret) > 0
}

// TLSState tells about the encryption of the connection: version, cipher, the client's
// certificates. It is nil if there is none, and before OnConnect.
func (c *Conn) TLSState() *tls.ConnectionState {
	return c.stream.TLSState()
}

// newServer checks the settings of a worker with that name and reads its files.
func (t *ServerTLS) newServer(name, scheme string, m *Master, log *slog.Logger) (*tlsfiles.Server, error) {
	settings := tlsfiles.Settings{
		Name: name, ClientCAFile: t.ClientCAFile, ClientAuth: t.ClientAuth, TicketSecret: t.TicketSecret,
		Config: t.Config, Log: log, Now: m.now,
	}
	if t.CertFile != "" || t.KeyFile != "" {
		settings.Pairs = append(settings.Pairs, tlsfiles.Pair{CertFile: t.CertFile, KeyFile: t.KeyFile})
	}
	for _, files := range t.Certificates {
		settings.Pairs = append(settings.Pairs, tlsfiles.Pair(files))
	}
	if len(t.TicketSecret) == 0 {
		settings.TicketSecret = m.tickets.Bytes()
	}
	settings.NextProtos = dialogTypes[findDialog(scheme)].nextProtos()
	return tlsfiles.NewServer(settings)
}

// tlsFailed counts and logs, once, that a connection got no further than its handshake of TLS.
func (s *server) tlsFailed(c *Conn, err error) {
	c.enter(stageRefused) // so that the close logs nothing more
	s.security.LogFailure(c.peer(), err)
	s.tlsFailures.Add(1) // who sees the number finds the line
}
