package workerman

import (
	"encoding/json"
	"fmt"
)

// JSON makes an OnMessage for messages that are JSON documents of type T. A message that
// is none closes its connection, with one log line.
func JSON[T any](fn func(c *Conn, message T)) func(*Conn, []byte) {
	return func(c *Conn, data []byte) {
		var message T
		if err := json.Unmarshal(data, &message); err != nil {
			c.fault(fmt.Errorf("message is no JSON of %T: %w", message, err))
			return
		}
		fn(c, message)
	}
}
