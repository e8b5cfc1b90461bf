package workerman

import (
	"errors"
	"strings"
	"time"
	"unsafe"

	"github.com/workerman-go/workerman/internal/dialer"
	"github.com/workerman-go/workerman/web"
)

// terms are options as a Connect found them, checked and with defaults filled in. They never
// change, and clients that share options share them.
type terms struct {
	service service
	options ClientOptions // as they were found, but TLS, which is a copy
	scheme  string
	timeout time.Duration // ConnectTimeout or its default
	proxy   *dialer.Proxy // nil: directly
}

// agree checks the client's options for its address and copies them.
func (cl *Client) agree() (*terms, error) {
	m := cl.master
	scheme, _, _ := strings.Cut(cl.address, "://")
	m.mu.Lock()
	t, found := cl.last, *cl.ClientOptions
	m.mu.Unlock()
	found.last = nil
	if !t.hold(m, scheme, &found) {
		var err error
		if t, err = newTerms(m, scheme, cl.address, found); err != nil {
			return nil, err
		}
		m.mu.Lock()
		cl.last = t
		m.mu.Unlock()
	}
	_, err := t.route(cl.address)
	return t, err
}

// hold reports whether t is what would come of options again. A tls.Config may have
// changed inside.
func (t *terms) hold(m *Master, scheme string, found *ClientOptions) bool {
	return t != nil && t.service.master == m && t.service.log == m.logger() && t.scheme == scheme && found.TLS == nil && t.options.same(found)
}

// same compares word for word, because functions cannot be compared otherwise: what is
// the same is equal, what is equal may differ.
func (o *ClientOptions) same(p *ClientOptions) bool { return o.words() == p.words() }

func (o *ClientOptions) words() string {
	return unsafe.String((*byte)(unsafe.Pointer(o)), unsafe.Sizeof(*o))
}

func newTerms(m *Master, scheme, address string, found ClientOptions) (*terms, error) {
	t := &terms{options: found, scheme: scheme, timeout: found.ConnectTimeout}
	o := &t.options
	if o.ConnectTimeout < 0 || o.Backoff.Min < 0 || o.Backoff.Max < 0 {
		return nil, errors.New("ConnectTimeout or Backoff is negative")
	}
	setDefault(&t.timeout, DefaultConnectTimeout)
	if o.TLS != nil {
		o.TLS = o.TLS.Clone()
	}
	e, _, err := parseTarget(address)
	if err != nil {
		return nil, err
	}
	if o.Proxy != "" {
		if t.proxy, err = dialer.ParseProxy(o.Proxy); err != nil {
			return nil, err
		}
	}
	s := &t.service
	s.master, s.log, s.poison = m, m.logger(), m.PoisonLent
	s.name, s.protocol, s.callbacks, s.proxies = o.Name, e.protocol, o.Callbacks, noProxies
	s.limits = Limits{MaxPackageSize: o.MaxPackageSize, MaxSendBuffer: o.MaxSendBuffer, FullPolicy: o.FullPolicy, IdleTimeout: o.IdleTimeout, LingerTimeout: o.LingerTimeout}
	if err := s.limits.check(); err != nil {
		return nil, err
	}
	if o.Protocol != nil {
		s.protocol = o.Protocol
	} else if e.dialog == webSocketDialog {
		s.prepareWebSocket(o.WebSocket, o.PingInterval)
	}
	return t, nil
}

var noProxies = new(web.Proxies)
