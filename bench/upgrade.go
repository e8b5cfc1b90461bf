package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// The key of the example in RFC 6455, section 1.3, and what answers it. Every
// connection may use the same: it guards against proxies, not against anybody.
const (
	upgradeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	upgradeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// upgradeRequest is the handshake of a WebSocket client. With deflate it offers
// compression without context takeover, which every engine has.
func upgradeRequest(deflate bool) []byte {
	text := "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + upgradeKey + "\r\n"
	if deflate {
		text += "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
	}
	return []byte(text + "\r\n")
}

// readUpgrade reads and checks the server's answer. Nothing may follow it, since
// the client has sent no message yet.
func readUpgrade(w wire, deflate bool) error {
	var in []byte
	buf := make([]byte, 4<<10)
	for !bytes.Contains(in, []byte("\r\n\r\n")) {
		n, err := readSome(w, buf)
		if err != nil {
			return fmt.Errorf("read the handshake: %w", err)
		}
		in = append(in, buf[:n]...)
	}
	return checkUpgrade(in, deflate)
}

func checkUpgrade(in []byte, deflate bool) error {
	if !bytes.HasSuffix(in, []byte("\r\n\r\n")) {
		return fmt.Errorf("something follows the handshake: %q", in)
	}
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(in)), nil)
	if err != nil {
		return fmt.Errorf("the handshake: %w", err)
	}
	if r.StatusCode != http.StatusSwitchingProtocols || r.Header.Get("Sec-WebSocket-Accept") != upgradeAccept {
		return fmt.Errorf("the server refused the handshake: %q", in)
	}
	extensions := r.Header.Get("Sec-WebSocket-Extensions")
	if strings.HasPrefix(extensions, "permessage-deflate") != deflate {
		return fmt.Errorf("the server chose the extensions %q", extensions)
	}
	return nil
}
