package websocket

import (
	"math"

	"github.com/workerman-go/workerman/web"
)

// Role is the side of a connection. Clients mask what they send, servers do not, RFC
// 6455 section 5.1.
type Role uint8

// The two roles.
const (
	Server Role = iota
	Client
)

// Options are the settings of a service or a client. The zero value is useful. Options
// are shared by all connections and must not be changed once one uses them.
type Options struct {
	// MaxMessageSize is the largest message that is received, in bytes after
	// decompression; 0 means 10 MiB, or in a worker its MaxPackageSize, and
	// 1 GiB is the most. A larger message ends the connection with CloseTooBig before its
	// payload is looked at.
	MaxMessageSize int
	// MaxFragments is the largest number of fragments of one message; 0 means 131072.
	// MaxMessageSize alone would let a peer send empty fragments for ever. More of them end
	// the connection with ClosePolicyViolation.
	MaxFragments int
	// Compression of messages. It is off by default.
	Compression Compression
	// Subprotocols that the program speaks, RFC 6455 section 1.9. A server selects the
	// first one in the client's list that is in this one. A client offers them in order.
	Subprotocols []string
	// Origins are the origins whose pages may connect, as "https://example.com". Nil
	// means the server's own: the Origin field has to name the host of the Host field.
	// Behind a proxy that rewrites Host the public origins have to be listed. "*" stands
	// for every origin. A request without Origin comes from no browser and is let in.
	Origins []string
	// CheckOrigin decides instead of Origins, also on requests without Origin. It is called
	// by Negotiate; the request is lent.
	CheckOrigin func(*web.Request) bool
	// Binary makes binary messages of what a program sends without saying what it is.
	// Otherwise they are text, which has to be UTF-8. The codec itself is always told.
	Binary bool
	// NewMask gives the masks of a client's frames. Nil means masks of the runtime's
	// generator, which is seeded by the system's random source. Masks that a program
	// could foresee open proxies to attack, RFC 6455 section 10.3: this is for tests.
	NewMask func() [4]byte
}

// defaultMaxMessageSize is MaxMessageSize where Options leave it 0.
const defaultMaxMessageSize = 10 << 20

const defaultMaxFragments = 128 << 10

// Compression are the settings of permessage-deflate, RFC 7692. It saves bandwidth and
// costs processor time (some microseconds per KiB); with ContextTakeover it costs up to
// two windows of memory per connection.
//
// The size of a compressed message tells something about its content. A program that puts
// a secret and what an attacker chose into one message, or with ContextTakeover into one
// connection, must not compress.
type Compression struct {
	// Enabled lets a server accept and a client offer compression.
	Enabled bool
	// ContextTakeover lets a message refer to earlier ones. That makes small and similar
	// messages much smaller. The price is a sliding window in each direction that
	// compresses: 32 KiB, or less by WindowBits.
	ContextTakeover bool
	// WindowBits, from 8 to 15, limits the windows to 1<<WindowBits bytes; 0 means 15.
	WindowBits int
	// Level is from 1, fast, to 9, small; 0 means 1. Windows below 15 bits have one level
	// only, about 5.
	Level int
	// Stateless compresses without a compressor that outlives the call: it needs no
	// 700 KB of pooled memory per core, is about as fast, and does without context takeover
	// in the direction of sending. Windows below 15 bits take no notice of it.
	Stateless bool
	// Threshold is the size in bytes from which messages are compressed; 0 means 512.
	Threshold int
}

const defaultThreshold = 512

func (o *Options) maxMessageSize() int {
	if o.MaxMessageSize > 0 {
		return min(o.MaxMessageSize, 1<<30)
	}
	return defaultMaxMessageSize
}

func (o *Options) maxFragments() int {
	if o.MaxFragments > 0 {
		return min(o.MaxFragments, math.MaxInt32)
	}
	return defaultMaxFragments
}

func (o *Options) newMask() [4]byte {
	if o.NewMask != nil {
		return o.NewMask()
	}
	return randomMask()
}

func (c *Compression) windowBits() uint8 {
	if c.WindowBits >= minWindowBits && c.WindowBits < maxWindowBits {
		return uint8(c.WindowBits)
	}
	return maxWindowBits
}

func (c *Compression) level() int {
	if c.Level >= 1 && c.Level <= 9 {
		return c.Level
	}
	return 1
}

func (c *Compression) threshold() int {
	if c.Threshold > 0 {
		return c.Threshold
	}
	return defaultThreshold
}
