package workerman

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/workerman-go/workerman/internal/handover"
	"github.com/workerman-go/workerman/web"
	"github.com/workerman-go/workerman/websocket"
)

// A dialog is what a connection speaks. It has one at a time: messages of a Protocol, datagrams,
// HTTP, a WebSocket, or what comes before, as the PROXY header and a client's opening. Its methods
// run on the loop, except send and shutDown, which any goroutine may call.
//
// What only some dialogs do is in the interfaces behind this one. A dialog that an address can ask
// for is described by a dialogType.
type dialog interface {
	// receive takes what it can from the front of b, which is not empty. want is the size of
	// the message that begins behind that, 0 if it is not known.
	receive(c *Conn, b []byte) (used, want int)
	// endOfInput is told that the peer sends no more; false: ask again later.
	endOfInput(c *Conn) (done bool)
	// deadline is the loop's time of the next check, 0 for none, or why the connection
	// must go.
	deadline(c *Conn, now int64) (next int64, err error)
	// send sends a message.
	send(c *Conn, data []byte) error
	// shutDown sends data, if it is not nil, and the last word that reason calls for, and closes in
	// good order; nil is an ordinary close.
	shutDown(c *Conn, data []byte, reason error) error
	// scheme names it for operators.
	scheme(c *Conn) string
}

// readyDialog wants to know when OnConnect is about to be called.
type readyDialog interface {
	dialog
	// ready is called on the loop. now is the loop's time.
	ready(now int64)
}

// closedDialog wants to know that the connection is closed.
type closedDialog interface {
	dialog
	// closed is called on the loop as soon as the connection is closed.
	closed()
	// abandon is called before OnClose, and like that one behind all other callbacks.
	abandon(c *Conn)
}

// kindDialog has messages of several kinds.
type kindDialog interface {
	dialog
	// enqueue puts a message into the output, 0 being the usual kind. Pipes and the messages
	// that waited for a client's connection come this way.
	enqueue(tx sending, kind websocket.Opcode, data []byte) error
	// setKind notes the kind of the message that OnMessage is about to get.
	setKind(kind websocket.Opcode)
}

// fanoutDialog frames a message that goes to many connections in its own way.
type fanoutDialog interface {
	dialog
	// sendShared sends the message of f, whatever goroutine calls. It reports whether the
	// connection has taken it.
	sendShared(c *Conn, f *fanout) (taken bool)
}

// drainedDialog knows when a drain may close the connection. Without it that is when the
// connection has been silent for a moment, in its turn.
type drainedDialog interface {
	dialog
	// mayDrain is asked on the loop, quiet being the answer for other dialogs.
	mayDrain(c *Conn, quiet bool) bool
	// drainsInTurn says that connections end one after the other over the time of the drain,
	// rather than each as soon as it may.
	drainsInTurn() bool
}

// movingDialog can go on in another process. Its dialogType makes it there of what was saved.
// Connections with other dialogs stay.
type movingDialog interface {
	dialog
	// resting reports whether nothing goes on that has to end in this process.
	resting() bool
	// save adds to the state. With an error the connection stays.
	save(c *Conn, st *handover.State) error
	// restoreTimes turns the ages of the state into times of the connection's new loop.
	restoreTimes(st *handover.State, now int64)
}

// dialogKind is an index of dialogTypes.
type dialogKind uint8

const (
	noDialog dialogKind = iota // messages of a Protocol, or bytes
	httpDialog
	webSocketDialog // HTTP up to the handshake, which is all it is for
	dialogKinds     // how many there are
)

// dialogTypes are the dialogs that an address can ask for. It is filled in by init, as the
// functions in it lead back to it.
var dialogTypes [dialogKinds]dialogType

func init() {
	dialogTypes = [dialogKinds]dialogType{
		noDialog:        messagesType(),
		httpDialog:      httpType(),
		webSocketDialog: webSocketType(),
	}
	for _, t := range dialogTypes {
		t.addAliases()
	}
}

// dialogType describes a dialog that connections of a worker begin with, or that a client opens.
// What is nil or zero does not concern it.
type dialogType struct {
	// schemes are names of it in addresses, and secure those with TLS. The first scheme is its
	// name elsewhere, too. A registered Protocol of such a name wins.
	schemes, secure []string
	// overHTTP says that connections begin with HTTP, as TLS and its errors have to know.
	overHTTP bool
	// handshake names what has to be done before OnConnect, behind TLS. The dialog does it, and
	// then calls becomeReady in a callback.
	handshake string

	// prepare checks and copies the settings of a worker, whatever its scheme, as a connection may
	// come to the dialog from another one.
	prepare func(s *server, w *Worker) error
	// check refuses, also for any scheme, what contradicts the kind of the worker.
	check func(s *server, w *Worker) error
	// advice says which callback the worker lacks, or has although it is never called.
	advice func(s *server) string
	// begin makes the dialog of a new connection; nil: messages.
	begin func(c *Conn) dialog
	// takeRequest takes a request, of that number, if connections begin with HTTP and the request
	// is for another dialog; nil: requests are for the program.
	takeRequest func(h *httpConn, c *Conn, r *web.Request, number uint64)

	// languages are those that the worker's connections may speak when they move to it.
	languages []handover.Language
	// language is that of the dialog itself, and restore makes it of what was saved.
	language handover.Language
	restore  func(c *Conn, st *handover.State) (dialog, error)

	// client is how a client opens the dialog; nil: not at all, as noClient says.
	client   *clientDialog
	noClient string
}

// clientDialog is how a client comes to a dialog with an address that is a URL with a host, a
// path and a query.
type clientDialog struct {
	// prepare copies the settings.
	prepare func(s *connSettings, o *ClientOptions)
	// check refuses what cannot be asked for.
	check func(config *clientConfig, r *route) error
	// open begins with the handshake, and calls becomeReady at its end.
	open func(a *attempt)
}

// addAliases makes the further names of the dialog known.
func (t *dialogType) addAliases() {
	for i, name := range t.schemes {
		if i > 0 {
			aliases[name] = alias{t.schemes[0], false}
		}
	}
	for _, name := range t.secure {
		aliases[name] = alias{t.schemes[0], true}
	}
}

// nextProtos are the protocols that TLS announces, nil for none.
func (t *dialogType) nextProtos() []string {
	if t.overHTTP {
		return []string{"http/1.1"}
	}
	return nil
}

// findDialog returns the dialog that a scheme stands for, noDialog if there is none.
func findDialog(scheme string) dialogKind {
	for kind := range dialogTypes {
		if slices.Contains(dialogTypes[kind].schemes, scheme) {
			return dialogKind(kind)
		}
	}
	return noDialog
}

// errStopping ends the connections when the master stops.
var errStopping = errors.New("server stops")

// dialog returns what the connection speaks.
func (c *Conn) dialog() dialog {
	if x := c.rare(); x != nil {
		if d := x.dialog.Load(); d != nil {
			return *d
		}
	}
	return messages{}
}

// speak makes d the connection's dialog, as of the bytes behind the current message; nil stands
// for messages.
func (c *Conn) speak(d dialog) {
	if d == nil {
		c.ensureRare().dialog.Store(nil)
		return
	}
	c.ensureRare().dialog.Store(&d)
}

// httpConn returns the HTTP side of the connection, nil if it speaks something else by now.
func (c *Conn) httpConn() *httpConn {
	h, _ := c.dialog().(*httpConn)
	return h
}

// wsConn returns the WebSocket side of the connection, nil if it is none.
func (c *Conn) wsConn() *wsConn {
	w, _ := c.dialog().(*wsConn)
	return w
}

// packets returns the UDP socket that the connection is a peer of, nil if it is none.
func (c *Conn) packets() *packetDialog {
	p, _ := c.dialog().(*packetDialog)
	return p
}

// takeNotices calls what other goroutines' sends have caused, between two messages: it may pause before
// more of them come. It reports whether there was anything.
func (c *Conn) takeNotices() bool {
	bits := c.stream.TakeAttention()
	if bits != 0 {
		(*connOwner)(c).Attention(bits)
	}
	return bits != 0
}

// count adds messages or requests to what was received.
func (c *Conn) count(n int) {
	if n > 0 {
		atomic.StoreUint64(&c.received, c.received+uint64(n)) // the loop alone writes it
		c.settings.requests.Add(uint64(n))
	}
}
