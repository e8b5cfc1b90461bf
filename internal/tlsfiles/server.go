package tlsfiles

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// LookInterval is the least time between two looks at the files and the ticket keys.
const LookInterval = 10 * time.Second

// selfSigned is advice for a first try.
const selfSigned = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost " +
	"-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem"

// Settings are what a Server is made of.
type Settings struct {
	// Name is the server's among those that share a TicketSecret.
	Name string
	// Pairs are the files of certificates, the preferred one first. Their certificates come in
	// front of those of Config.
	Pairs []Pair
	// ClientCAFile holds the authorities, in PEM, whose certificates clients have to show.
	ClientCAFile string
	// ClientAuth says what is asked of clients. Default: what Config says, and where that is
	// nothing and ClientCAFile is set, tls.RequireAndVerifyClientCert.
	ClientAuth tls.ClientAuthType
	// TicketSecret is what the keys of session tickets are derived from, at least 16 bytes.
	TicketSecret []byte
	// Config is for everything else; it may be nil. It is copied. Its MinVersion is TLS 1.2 by
	// default.
	Config *tls.Config
	// NextProtos are the protocols to agree on by ALPN if Config names none.
	NextProtos []string
	// Log gets a line for each renewal, for each one that failed, and for failed handshakes.
	Log *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Server is the encryption of a running server. Its methods may be called from every
// goroutine.
type Server struct {
	outer    *tls.Config // what handshakes begin with: it asks for the current one
	base     *tls.Config // the settings, without what is read from files
	files    certificateFiles
	tickets  ticketKeys
	log      *slog.Logger
	now      func() time.Time
	current  atomic.Pointer[tls.Config]
	due      atomic.Int64 // when to look at files and keys again, in Unix nanoseconds
	renewing sync.Mutex
	failures LogLimiter
}

// NewServer checks the settings and reads the files. Errors name the file or the setting.
func NewServer(settings Settings) (*Server, error) {
	s := &Server{base: new(tls.Config), log: settings.Log, now: settings.Now}
	if s.now == nil {
		s.now = time.Now
	}
	if settings.Config != nil {
		s.base = settings.Config.Clone()
	}
	b := s.base
	if b.MinVersion == 0 {
		b.MinVersion = tls.VersionTLS12
	}
	if len(b.NextProtos) == 0 {
		b.NextProtos = settings.NextProtos
	}
	if settings.ClientAuth != tls.NoClientCert {
		b.ClientAuth = settings.ClientAuth
	} else if settings.ClientCAFile != "" && b.ClientAuth == tls.NoClientCert {
		b.ClientAuth = tls.RequireAndVerifyClientCert
	}
	var err error
	if s.files, err = listFiles(settings.Pairs, settings.ClientCAFile); err != nil {
		return nil, err
	}
	if len(s.files.pairs)+len(b.Certificates) == 0 && b.GetCertificate == nil && b.GetConfigForClient == nil {
		return nil, errors.New("TLS without a certificate: set TLS.CertFile and TLS.KeyFile; for a trial make them by: " + selfSigned)
	}
	if s.tickets, err = newTicketKeys(settings.TicketSecret, settings.Name, b); err != nil {
		return nil, err
	}
	s.outer = &tls.Config{GetConfigForClient: s.configFor}
	return s, s.renew()
}

// Config returns what handshakes begin with. It must not be changed.
func (s *Server) Config() *tls.Config { return s.outer }

// Current returns the configuration that a client gets now, unless the GetConfigForClient of
// the settings chooses another. It must not be changed.
func (s *Server) Current() *tls.Config { return s.current.Load() }

// configFor is the configuration for a client: the user's choice or the current one. It
// runs on the goroutine of a handshake.
func (s *Server) configFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
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
func (s *Server) renew() error {
	now := s.now()
	s.due.Store(now.Add(LookInterval).UnixNano())
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
	config.Certificates = append(slices.Clone(s.files.certificates), s.base.Certificates...)
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

// LogFailure logs that the handshake of a peer has failed, unless there are too many such
// lines; the next line tells how many were left out.
func (s *Server) LogFailure(peer string, err error) {
	suppressed, ok := s.failures.Admit(s.now())
	if !ok {
		return
	}
	args := []any{"peer", peer, "reason", err.Error()}
	if suppressed > 0 {
		args = append(args, "not_logged", suppressed)
	}
	s.log.Warn("TLS handshake failed", args...)
}
