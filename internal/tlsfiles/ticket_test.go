package tlsfiles

import (
	"bytes"
	"crypto/tls"
	"testing"
	"time"
)

func TestTicketKeys(t *testing.T) {
	k, err := newTicketKeys(bytes.Repeat([]byte("s"), 16), "w", new(tls.Config))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(100*int64(TicketPeriod/time.Second), 0)
	if !k.rotate(at) || k.rotate(at.Add(TicketPeriod-1)) {
		t.Error("keys change other than once a period")
	}
	old := k.keys
	if !k.rotate(at.Add(TicketPeriod)) {
		t.Error("keys do not change with the period")
	}
	if k.keys[0] != old[2] || k.keys[1] != old[0] || k.keys[2] == old[1] {
		t.Error("the keys of neighbouring periods do not fit")
	}
	for _, key := range k.keys {
		if key == [32]byte{} {
			t.Error("a key is empty")
		}
	}
}

// The keys of servers that must not take each other's tickets differ.
func TestTicketKeysAreBound(t *testing.T) {
	secret := bytes.Repeat([]byte("s"), 32)
	seen := make(map[[32]byte]string)
	for _, c := range []struct {
		what        string
		secret      []byte
		name        string
		auth        tls.ClientAuthType
		authorities string
	}{
		{"a server", secret, "w", tls.NoClientCert, ""},
		{"another name", secret, "v", tls.NoClientCert, ""},
		{"another demand", secret, "w", tls.RequireAnyClientCert, ""},
		{"other authorities", secret, "w", tls.NoClientCert, "authorities"},
		{"another secret", bytes.Repeat([]byte("t"), 32), "w", tls.NoClientCert, ""},
	} {
		k, err := newTicketKeys(c.secret, c.name, &tls.Config{ClientAuth: c.auth})
		if err != nil {
			t.Fatal(err)
		}
		k.bind([]byte(c.authorities))
		k.rotate(time.Unix(0, 0))
		if other, ok := seen[k.keys[0]]; ok {
			t.Errorf("%s has the key of %s", c.what, other)
		}
		seen[k.keys[0]] = c.what
	}
}

func TestTicketsCanBeOff(t *testing.T) {
	k, err := newTicketKeys([]byte("short"), "w", &tls.Config{SessionTicketsDisabled: true})
	if err != nil || k.rotate(time.Now()) || len(k.keys) != 0 {
		t.Errorf("got %d keys, %v, want none", len(k.keys), err)
	}
}

func TestSecret(t *testing.T) {
	var random, given Secret
	first := random.Bytes()
	if len(first) != 32 || bytes.Equal(first, make([]byte, 32)) {
		t.Errorf("the random secret is %x, want 32 random bytes", first)
	}
	random.Set([]byte("late"))
	if got := random.Bytes(); !bytes.Equal(got, first) {
		t.Errorf("after a late Set: got %x, want %x", got, first)
	}
	given.Set([]byte("given"))
	if got := string(given.Bytes()); got != "given" {
		t.Errorf("got %q, want %q", got, "given")
	}
}
