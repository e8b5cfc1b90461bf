// Package redis keeps sessions in Redis, Valkey or what else speaks their protocol, so that
// all processes and machines of a site share them.
//
//	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{"127.0.0.1:6379"}})
//	...
//	sessions := &session.Sessions{Store: &redis.Store{Client: client}}
//
// The client is rueidis: it puts the calls of all goroutines that wait at the same time into
// one pipeline, which is how session.Sessions.Handle calls a store, and it speaks to a single
// server, to Sentinel and to a cluster alike. NewClient fails if no server answers; after
// that the client connects again by itself.
//
// The package is a module of its own: a program without Redis does not depend on a client.
package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"
	"github.com/workerman-go/workerman/session"
)

// A Store is a session.Store. Redis itself forgets a session that has expired; its
// maxmemory-policy should be noeviction or volatile-ttl, so that others do not go before.
// Every call is atomic, also between machines. Its methods may be called from every
// goroutine, but wait for the network.
type Store struct {
	// Client is the connection to the server. It has to be closed by its maker.
	Client rueidis.Client
	// Prefix is what the keys of sessions begin with, "session:" by default.
	Prefix string
}

var _ session.Store = (*Store)(nil)

// Load is that of session.Store.
func (s *Store) Load(ctx context.Context, id string) (data []byte, left time.Duration, err error) {
	key := s.key(id)
	answers := s.Client.DoMulti(ctx, s.Client.B().Get().Key(key).Build(), s.Client.B().Pttl().Key(key).Build())
	data, err = answers[0].AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	ms, err := answers[1].AsInt64()
	// It is below 0 if the session has expired between the two commands, or never does.
	return data, time.Duration(max(ms, 0)) * time.Millisecond, err
}

// Create is that of session.Store.
func (s *Store) Create(ctx context.Context, id string, data []byte, ttl time.Duration) error {
	return s.Client.Do(ctx, s.Client.B().Set().Key(s.key(id)).Value(rueidis.BinaryString(data)).Px(ttl).Build()).Error()
}

// Save is that of session.Store.
func (s *Store) Save(ctx context.Context, id string, data []byte, ttl time.Duration) error {
	err := s.Client.Do(ctx, s.Client.B().Set().Key(s.key(id)).Value(rueidis.BinaryString(data)).Xx().Px(ttl).Build()).Error()
	if rueidis.IsRedisNil(err) {
		return session.ErrGone
	}
	return err
}

// Touch is that of session.Store.
func (s *Store) Touch(ctx context.Context, id string, ttl time.Duration) error {
	known, err := s.Client.Do(ctx, s.Client.B().Pexpire().Key(s.key(id)).Milliseconds(ttl.Milliseconds()).Build()).AsBool()
	if err == nil && !known {
		return session.ErrGone
	}
	return err
}

// Delete is that of session.Store.
func (s *Store) Delete(ctx context.Context, id string) error {
	return s.Client.Do(ctx, s.Client.B().Del().Key(s.key(id)).Build()).Error()
}

func (s *Store) key(id string) string {
	if s.Prefix == "" {
		return "session:" + id
	}
	return s.Prefix + id
}
