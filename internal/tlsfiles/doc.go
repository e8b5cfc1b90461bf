// Package tlsfiles keeps the server's side of TLS up to date while it runs.
//
// A Server is made from Settings: files with certificates and with the authorities of
// clients, a secret for session tickets, and a tls.Config for the rest. Server.Config is what
// handshakes begin with. It asks for the current configuration, which is made again when a
// file or the period of the ticket keys has changed; both are looked at when a client connects,
// at most every LookInterval. Files that are not usable are logged once, and what they held
// before stays in use.
//
// Handshakes that fail can be caused by anyone, so their log lines go through a LogLimiter.
package tlsfiles
