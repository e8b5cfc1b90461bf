package tlsfiles

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

const (
	// TicketPeriod is how long a key encrypts new session tickets. It decrypts for one
	// period more.
	TicketPeriod = 12 * time.Hour
	// minTicketSecret is the shortest TicketSecret, in bytes.
	minTicketSecret = 16
)

// Secret is a random secret that is made when it is first asked for, unless it was set before.
// Its zero value is ready, and it may be used from every goroutine.
type Secret struct {
	once  sync.Once
	bytes []byte
}

// Set makes the secret a given one. Only the first call counts, and none after Bytes.
func (s *Secret) Set(secret []byte) {
	s.once.Do(func() { s.bytes = secret })
}

// Bytes returns the secret, 32 random bytes unless it was set. They must not be changed.
func (s *Secret) Bytes() []byte {
	s.once.Do(func() {
		s.bytes = make([]byte, 32)
		rand.Read(s.bytes)
	})
	return s.bytes
}

// ticketKeys are the keys of a server's session tickets. They follow from a secret and the
// time, so that processes and machines need not talk about them.
type ticketKeys struct {
	secret []byte // nil: there are no tickets
	name   string // the server's name, and what it asks of clients
	salt   []byte // name and authorities
	period int64
	keys   [][32]byte // the first encrypts
}

// newTicketKeys returns the keys of the server with that name, none if config refuses tickets.
//
// A client that continues a session need not show its certificate again. So servers that
// ask clients for different things must not take each other's tickets: their names, their
// demands and their authorities go into the keys.
func newTicketKeys(secret []byte, name string, config *tls.Config) (k ticketKeys, err error) {
	if config.SessionTicketsDisabled {
		return k, nil
	}
	if len(secret) < minTicketSecret {
		return k, fmt.Errorf("TLS.TicketSecret has %d bytes: use at least %d, better 32, that are random", len(secret), minTicketSecret)
	}
	k.secret = secret
	k.name = fmt.Sprintf("%s\x00%d\x00", name, config.ClientAuth)
	k.bind(nil)
	return k, nil
}

// bind makes the keys good for sessions under these authorities of clients only.
func (k *ticketKeys) bind(authorities []byte) {
	hash := sha256.Sum256(authorities)
	k.salt, k.keys = append([]byte(k.name), hash[:]...), nil
}

// rotate brings the keys up to date and reports whether they have changed.
func (k *ticketKeys) rotate(now time.Time) bool {
	period := now.Unix() / int64(TicketPeriod/time.Second)
	if k.secret == nil || k.keys != nil && period == k.period {
		return false
	}
	// The next period is for tickets of a machine whose clock is ahead.
	k.period, k.keys = period, [][32]byte{k.keyOf(period), k.keyOf(period - 1), k.keyOf(period + 1)}
	return true
}

// keyOf derives the key of a period (RFC 5869).
func (k *ticketKeys) keyOf(period int64) (key [32]byte) {
	info := binary.BigEndian.AppendUint64([]byte("workerman session ticket "), uint64(period))
	b, err := hkdf.Key(sha256.New, k.secret, k.salt, string(info), len(key))
	if err != nil {
		panic(err) // only for keys of more than 8160 bytes
	}
	copy(key[:], b)
	return key
}
