package workerman

import (
	"io"

	"github.com/workerman-go/workerman/internal/control"
	"github.com/workerman-go/workerman/internal/dialer"
	"github.com/workerman-go/workerman/internal/loop"
)

// This file shows the inside of the package to its tests in package workerman_test, which may
// import what stands above it: see package workertest.

// TextProtocol is the protocol of the scheme text, for protocols that differ a little from it.
type TextProtocol = textProtocol

// Registered lists the clients that the master knows because something is under way for them.
func (m *Master) Registered() []*Client { return m.registered() }

// Outgoing is the number of open sockets of clients.
func (m *Master) Outgoing() int64 { return m.outgoing.Load() }

// Resolver is what looks the names of clients up.
func (m *Master) Resolver() *dialer.Resolver { return &m.resolver }

// Master is the one that has made the worker.
func (w *Worker) Master() *Master { return w.master }

// Counters count what the first loop of a running worker asks of the system.
func (w *Worker) Counters() *loop.Counters { return w.runningServer().loops[0].Counters() }

// Config is the same for clients that share what was made of their options.
func (c *Client) Config() any { return c.config }

// Configured reports whether conn has what was made of the client's options.
func (c *Client) Configured(conn *Conn) bool { return conn.settings == &c.config.settings }

// CallbackNames tells the watchdog which callback a function calls.
var CallbackNames = callbackNames

// Figures are what the process tells about itself.
func (m *Master) Figures() control.Figures { return m.figures() }

// WriteStack writes where the process stands.
func (m *Master) WriteStack(out io.Writer) error { return m.writeStack(out) }
