package workerman

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// TLS are the settings of an encrypted worker. The zero value means no encryption, unless
// the address says otherwise, as https:// does.
//
// The files are looked at every 10 seconds, when a client connects, and read again if they
// have changed: a renewed certificate needs no restart. If the new ones are not usable, an
// error is logged and the old ones stay in use.
type TLS struct {
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
func (t *TLS) used() bool {
	return t.CertFile != "" || t.KeyFile != "" || t.ClientCAFile != "" || t.ClientAuth != 0 ||
		t.Config != nil || len(t.Certificates)+len(t.TicketSecret) > 0
}

// TLSState tells about the encryption of the connection: version, cipher, the client's
// certificates. It is nil if there is none, and before OnConnect.
func (c *Conn) TLSState() *tls.ConnectionState {
	return c.stream.TLSState()
}

// security is the encryption of a running worker.
type security struct {
	outer    *tls.Config // what handshakes begin with: it asks for the current one
	base     *tls.Config // the settings, without what is read from files
	files    certificateFiles
	tickets  ticketKeys
	log      *slog.Logger
	now      func() time.Time
	current  atomic.Pointer[tls.Config]
	due      atomic.Int64 // when to look at files and keys again, in Unix nanoseconds
	renewing sync.Mutex
	failures failureLog
}

// lookPause is the time between two looks at the files.
const lookPause = 10 * time.Second

// selfSigned is advice for a first try.
const selfSigned = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost " +
	"-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem"

// newSecurity checks the settings of a worker and reads its files.
func newSecurity(t *TLS, name, scheme string, m *Master, log *slog.Logger) (*security, error) {
	s := &security{base: new(tls.Config), log: log, now: m.now}
	if t.Config != nil {
		s.base = t.Config.Clone()
	}
	setDefault(&s.base.MinVersion, tls.VersionTLS12)
	if len(s.base.NextProtos) == 0 && (scheme == "http" || scheme == "websocket") {
		s.base.NextProtos = []string{"http/1.1"}
	}
	if t.ClientAuth != tls.NoClientCert {
		s.base.ClientAuth = t.ClientAuth
	} else if t.ClientCAFile != "" && s.base.ClientAuth == tls.NoClientCert {
		s.base.ClientAuth = tls.RequireAndVerifyClientCert
	}
	var err error
	if s.files, err = listFiles(t); err != nil {
		return nil, err
	}
	b := s.base
	if len(s.files.pairs)+len(b.Certificates) == 0 && b.GetCertificate == nil && b.GetConfigForClient == nil {
		return nil, errors.New("TLS without a certificate: set TLS.CertFile and TLS.KeyFile; for a trial make them by: " + selfSigned)
	}
	if s.tickets, err = m.ticketKeys(t.TicketSecret, name, s.base); err != nil {
		return nil, err
	}
	s.outer = &tls.Config{GetConfigForClient: s.configFor}
	return s, s.renew()
}

// configFor is the configuration for a client: the user's choice or the current one. It
// runs on the goroutine of a handshake.
func (s *security) configFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if choose := s.base.GetConfigForClient; choose != nil {
		if config, err := choose(hello); config != nil || err != nil {
			return config, err
		}
	}
	if s.now().UnixNano() >= s.due.Load() && s.renewing.TryLock() {
		if err := s.renew(); err != nil {
			s.log.Error("TLS files not renewed, the old ones stay in use", "error", err)
		}
		s.renewing.Unlock()
	}
	return s.current.Load(), nil
}

// renew makes a new current configuration if files or ticket keys have changed. An error
// comes once for each state of the files.
func (s *security) renew() error {
	now := s.now()
	s.due.Store(now.Add(lookPause).UnixNano())
	changed, err := s.files.read(now)
	if err != nil {
		return err
	}
	old := s.current.Load()
	if changed {
		s.tickets.bind(s.files.clientCAPEM)
	}
	rotated := s.tickets.rotate(now)
	if old != nil && !changed && !rotated {
		return nil
	}
	config := s.base.Clone()
	config.GetConfigForClient = nil
	config.Certificates = append(s.files.certificates[:len(s.files.certificates):len(s.files.certificates)], s.base.Certificates...)
	if s.files.clientCAs != nil {
		config.ClientCAs = s.files.clientCAs
	}
	if len(s.tickets.keys) > 0 {
		config.SetSessionTicketKeys(s.tickets.keys)
	}
	s.current.Store(config)
	if old != nil && changed {
		s.log.Info("TLS files renewed", "certificate", s.files.describe())
	}
	return nil
}

// Secured ends a handshake of TLS.
func (o *connOwner) Secured(err error) {
	c := (*Conn)(o)
	if cl := c.Client(); cl != nil {
		cl.attempt.secured(err)
		return
	}
	if err != nil {
		if c.svc.kind != noDialog {
			answerInClear(err)
		}
		c.fault(explain(err))
		return
	}
	c.secured()
}
