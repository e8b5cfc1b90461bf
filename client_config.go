package workerman

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"github.com/workerman-go/workerman/internal/dialer"
)

// clientConfig is what a Connect makes of ClientOptions: checked and with defaults filled in. It
// never changes, and clients that share options share it.
type clientConfig struct {
	settings connSettings
	options  ClientOptions // as they were found, but TLS, which is a copy
	scheme   string
	timeout  time.Duration // ConnectTimeout or its default
	proxy    *dialer.Proxy // nil: directly
}

// errNoAddress is the error of a client that NewClient has not made.
var errNoAddress = errors.New("client without an address: make it with NewClient")

// loadConfig checks the client's options for its address and copies them.
func (cl *Client) loadConfig() (*clientConfig, error) {
	if cl.address == "" {
		return nil, errNoAddress
	}
	config, err := cl.owner().clientConfig(cl.ClientOptions, cl.address)
	if err == nil {
		_, err = config.route(cl.address)
	}
	if err == nil && cl.owner().stopping() {
		err = ErrNotRunning
	}
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", cl.address, err)
	}
	return config, nil
}

// clientConfig returns the configuration that options, which may be nil, make for an address:
// that of the last Connect with them, unless they have changed since.
func (m *Master) clientConfig(options *ClientOptions, address string) (*clientConfig, error) {
	scheme, _, _ := strings.Cut(address, "://")
	if options == nil {
		return newClientConfig(m, scheme, address, ClientOptions{})
	}
	m.mu.Lock()
	last, found := options.last, *options
	m.mu.Unlock()
	found.last = nil
	if last != nil && last.unchanged(m, scheme, &found) {
		return last, nil
	}
	config, err := newClientConfig(m, scheme, address, found)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	options.last = config
	m.mu.Unlock()
	return config, nil
}

// unchanged reports whether the options are those that the configuration was made from, for
// the same master, log and scheme. With TLS it cannot know, as a tls.Config may have changed
// inside.
func (config *clientConfig) unchanged(m *Master, scheme string, found *ClientOptions) bool {
	s := &config.settings
	return s.master == m && s.log == m.logger() && config.scheme == scheme && found.TLS == nil &&
		config.options.sameMemory(found)
}

// sameMemory compares the memory of options, since functions cannot be compared: options with
// the same memory are equal, while equal ones may differ in it.
func (o *ClientOptions) sameMemory(p *ClientOptions) bool { return o.memory() == p.memory() }

func (o *ClientOptions) memory() string {
	return unsafe.String((*byte)(unsafe.Pointer(o)), unsafe.Sizeof(*o))
}

func newClientConfig(m *Master, scheme, address string, found ClientOptions) (*clientConfig, error) {
	config := &clientConfig{options: found, scheme: scheme, timeout: found.ConnectTimeout}
	o := &config.options
	if o.ConnectTimeout < 0 || o.Backoff.Min < 0 || o.Backoff.Max < 0 {
		return nil, errors.New("ConnectTimeout or Backoff is negative")
	}
	setDefault(&config.timeout, DefaultConnectTimeout)
	if o.TLS != nil {
		o.TLS = o.TLS.Clone()
	}
	e, _, err := parseTarget(address)
	if err != nil {
		return nil, err
	}
	if o.Proxy != "" {
		if config.proxy, err = dialer.ParseProxy(o.Proxy); err != nil {
			return nil, err
		}
	}
	s := &config.settings
	s.master, s.log, s.poison = m, m.logger(), m.PoisonLent
	s.name, s.protocol, s.callbacks = o.Name, e.protocol, o.Callbacks
	s.limits = Limits{
		MaxPackageSize: o.MaxPackageSize, MaxSendBuffer: o.MaxSendBuffer, FullPolicy: o.FullPolicy,
		IdleTimeout: o.IdleTimeout, LingerTimeout: o.LingerTimeout,
	}
	if err := s.limits.check(); err != nil {
		return nil, err
	}
	if o.Protocol != nil {
		s.protocol = o.Protocol
	} else if d := dialogTypes[e.dialog].client; d != nil {
		d.prepare(s, o)
	}
	return config, nil
}
