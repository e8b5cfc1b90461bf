package workerman

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/workerman-go/workerman/frame"
	"github.com/workerman-go/workerman/text"
)

// Protocol cuts a byte stream into messages and puts messages into bytes. One value
// serves all connections, on several goroutines; what belongs to one connection is kept
// with SetProtocolState.
//
// What a Protocol can do besides is in interfaces of their own: ProtocolHooks, SharedEncoder,
// Scanner, StateMover.
type Protocol interface {
	// Input looks for the first message in buf, which holds at least one byte. It returns
	// the message's size in bytes with all its framing; the size may exceed len(buf).
	// 0 means that more bytes are needed to tell. An error closes the connection. It is
	// called on the connection's loop, again after each arrival until it gives a size.
	Input(c *Conn, buf []byte) (size int, err error)
	// Decode returns the message in frame, which has the size that Input gave, on the
	// connection's loop. The result may lie in frame. ErrSkip passes nothing on; another
	// error closes the connection.
	Decode(c *Conn, frame []byte) ([]byte, error)
	// Encode appends data as one message to dst and returns the result, as append does.
	// It runs on the goroutine that sends, with the connection locked: it must not call
	// methods of c other than ProtocolState. An error is returned by Send.
	Encode(c *Conn, dst, data []byte) ([]byte, error)
}

// ProtocolHooks is a Protocol that is told of its connections' beginning and end. One with only
// one of the two methods is told of that alone.
//
// A connection with hooks moves to another process only if Worker.Handover or OnAdopt allows it, or
// if the Protocol is a StateMover. OnConnect is not called again there.
type ProtocolHooks interface {
	Protocol
	// OnConnect is called when the connection is ready, right before the OnConnect of its worker
	// or client and on the same goroutine. It may send.
	OnConnect(c *Conn)
	// OnClose is called once, after the connection has ended and right after the OnClose of its
	// worker or client, also if that panics. It is called on the same goroutine.
	OnClose(c *Conn)
}

// connectHook and closeHook are the two halves of ProtocolHooks.
type (
	connectHook interface{ OnConnect(c *Conn) }
	closeHook   interface{ OnClose(c *Conn) }
)

// protocolHooks returns what p wants to be told of, nil for what it does not.
func protocolHooks(p Protocol) (connect connectHook, closed closeHook) {
	connect, _ = p.(connectHook)
	closed, _ = p.(closeHook)
	return connect, closed
}

// hasHooks reports whether p does something at the beginning or the end of a connection.
func hasHooks(p Protocol) bool {
	if _, ok := p.(StateMover); ok {
		return false // it takes care of what it does
	}
	connect, closed := protocolHooks(p)
	return connect != nil || closed != nil
}

// SharedEncoder is a Protocol whose messages look the same on every connection:
// Broadcast and Group.Send then encode once for all.
type SharedEncoder interface {
	Protocol
	// EncodeShared is Encode without a connection.
	EncodeShared(dst, data []byte) ([]byte, error)
}

// StateMover is a Protocol whose connections can move to another process with what
// SetProtocolState has stored for them; those of other Protocols move only while that is nil.
type StateMover interface {
	Protocol
	// AppendState appends the connection's state as bytes to dst and returns the result, on
	// the connection's loop. With an error the connection stays where it is.
	AppendState(c *Conn, dst []byte) ([]byte, error)
	// RestoreState sets the state in the new process, of what AppendState wrote in the old
	// one, which may have been an older version of the program. c is not connected yet: of its
	// methods only SetProtocolState, ID and RemoteAddr may be called. With an error the
	// connection goes on in the old process. For a Protocol of the connection's own it is
	// called when OnAdopt has set that, and an error closes the connection.
	RestoreState(c *Conn, state []byte) error
}

// envelope is a Protocol whose frame is the data between a head and a tail: large data
// is sent without being copied. Head and tail should not exceed envelopeRoom together, which is
// what is reserved for them; a longer one only costs an allocation.
type envelope interface {
	envelope(head []byte, size int) (h, tail []byte, err error)
}

// envelopeRoom is how many bytes a message has for the head and the tail of its envelope.
const envelopeRoom = 16

// Scanner is a Protocol that looks for an end mark, as a line feed. It need not look at
// the same bytes twice when a long message arrives in many pieces.
type Scanner interface {
	Protocol
	// Scan is Input that may skip the first scanned bytes: it has seen them in an earlier
	// call for the same message.
	Scan(c *Conn, buf []byte, scanned int) (size int, err error)
}

var (
	protocolsMu sync.Mutex
	protocols   = map[string]Protocol{"text": textProtocol{}, "frame": frameProtocol{}}
)

// RegisterProtocol makes p the protocol of addresses that begin with scheme "://". A
// scheme is a letter and then letters and digits, in any case. A built-in protocol of
// that name is replaced; the transports tcp, udp and unix cannot be, nor ssl, tls, https, ws
// and wss. It panics on a bad scheme, as it is a mistake in the program.
func RegisterProtocol(scheme string, p Protocol) {
	name := strings.ToLower(scheme)
	if _, taken := aliases[name]; taken || !validScheme(name) || isTransport(name) || p == nil {
		panic(fmt.Sprintf("workerman: RegisterProtocol(%q, %T): a scheme is a letter and then letters or digits, and none of tcp, udp, unix, ssl, tls, https, ws, wss", scheme, p))
	}
	protocolsMu.Lock()
	defer protocolsMu.Unlock()
	protocols[name] = p
}

func findProtocol(scheme string) (Protocol, bool) {
	protocolsMu.Lock()
	defer protocolsMu.Unlock()
	p, ok := protocols[strings.ToLower(scheme)]
	return p, ok
}

// knownSchemes lists what an address may begin with.
func knownSchemes() string {
	protocolsMu.Lock()
	defer protocolsMu.Unlock()
	names := slices.AppendSeq([]string{"tcp", "udp", "unix", "ssl"}, maps.Keys(protocols))
	for _, t := range dialogTypes {
		names = append(names, t.schemes...)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// textProtocol is package text as a Protocol.
type textProtocol struct{}

func (textProtocol) Scan(_ *Conn, buf []byte, scanned int) (int, error) {
	return text.Size(buf, scanned), nil
}
func (textProtocol) Input(_ *Conn, buf []byte) (int, error)       { return text.Size(buf, 0), nil }
func (textProtocol) Decode(_ *Conn, frame []byte) ([]byte, error) { return text.Decode(frame), nil }
func (textProtocol) Encode(_ *Conn, dst, data []byte) ([]byte, error) {
	return text.Append(dst, data), nil
}
func (textProtocol) EncodeShared(dst, data []byte) ([]byte, error) {
	return text.Append(dst, data), nil
}

var lineFeed = []byte{'\n'}

func (textProtocol) envelope(head []byte, _ int) ([]byte, []byte, error) { return head, lineFeed, nil }

// frameProtocol is package frame as a Protocol.
type frameProtocol struct{}

func (frameProtocol) Input(_ *Conn, buf []byte) (int, error)   { return frame.Size(buf) }
func (frameProtocol) Decode(_ *Conn, f []byte) ([]byte, error) { return frame.Decode(f), nil }
func (frameProtocol) Encode(_ *Conn, dst, data []byte) ([]byte, error) {
	return frame.Append(dst, data)
}
func (frameProtocol) EncodeShared(dst, data []byte) ([]byte, error) { return frame.Append(dst, data) }

func (frameProtocol) envelope(head []byte, size int) ([]byte, []byte, error) {
	h, err := frame.AppendHeader(head, size)
	return h, nil, err
}

var (
	_ SharedEncoder = textProtocol{}
	_ SharedEncoder = frameProtocol{}
	_ Scanner       = textProtocol{}
	_ envelope      = textProtocol{}
	_ envelope      = frameProtocol{}
)

// JSON makes an OnMessage for messages that are JSON documents of type T. A message that
// is none closes its connection, with one log line.
func JSON[T any](fn func(c *Conn, message T)) func(*Conn, []byte) {
	return func(c *Conn, data []byte) {
		var message T
		if err := json.Unmarshal(data, &message); err != nil {
			c.fail(fmt.Errorf("message is no JSON of %T: %w", message, err))
			return
		}
		fn(c, message)
	}
}

// schemeOf is a scheme that stands for a type of protocol, the type itself if there is none.
func schemeOf(t reflect.Type) string {
	protocolsMu.Lock()
	defer protocolsMu.Unlock()
	for scheme, p := range protocols {
		if reflect.TypeOf(p) == t {
			return scheme
		}
	}
	return t.String()
}
