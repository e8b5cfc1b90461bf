package conns

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/frame"
)

// The protocols that users write, as the manual of Workerman shows them.

// xmlProtocol is ten digits with the total length, then the document.
type xmlProtocol struct{}

func (xmlProtocol) Input(_ *workerman.Conn, buf []byte) (int, error) {
	if len(buf) < 10 {
		return 0, nil
	}
	return strconv.Atoi(string(buf[:10]))
}
func (xmlProtocol) Decode(_ *workerman.Conn, f []byte) ([]byte, error) { return f[10:], nil }
func (xmlProtocol) Encode(_ *workerman.Conn, dst, data []byte) ([]byte, error) {
	return append(fmt.Appendf(dst, "%010d", len(data)+10), data...), nil
}

// jsonLines is a JSON document and a line feed, looked for from where the last look ended.
type jsonLines struct{}

func (p jsonLines) Input(c *workerman.Conn, buf []byte) (int, error) { return p.Scan(c, buf, 0) }
func (jsonLines) Scan(_ *workerman.Conn, buf []byte, scanned int) (int, error) {
	if bytes.IndexByte(buf[:scanned], '\n') >= 0 {
		return 0, errors.New("scanned bytes hold an end")
	}
	if i := bytes.IndexByte(buf[scanned:], '\n'); i >= 0 {
		return scanned + i + 1, nil
	}
	return 0, nil
}
func (jsonLines) Decode(_ *workerman.Conn, f []byte) ([]byte, error) {
	if !json.Valid(f) {
		return nil, errors.New("no JSON")
	}
	return f[:len(f)-1], nil
}
func (jsonLines) Encode(_ *workerman.Conn, dst, data []byte) ([]byte, error) {
	return append(append(dst, data...), '\n'), nil
}

// transfer is a file: a 32-bit total length, one byte with the length of the name, the
// name, the content. It is passed on as name, NUL, content.
type transfer struct{}

func (transfer) Input(_ *workerman.Conn, buf []byte) (int, error) {
	if len(buf) < 5 {
		return 0, nil
	}
	return int(binary.BigEndian.Uint32(buf)), nil
}
func (transfer) Decode(_ *workerman.Conn, f []byte) ([]byte, error) {
	name := int(f[4])
	if 5+name > len(f) {
		return nil, errors.New("the name is longer than the message")
	}
	return slices.Concat(f[5:5+name], []byte{0}, f[5+name:]), nil
}
func (transfer) Encode(_ *workerman.Conn, dst, data []byte) ([]byte, error) {
	name, content, _ := bytes.Cut(data, []byte{0})
	dst = binary.BigEndian.AppendUint32(dst, uint32(5+len(name)+len(content)))
	return append(append(append(dst, byte(len(name))), name...), content...), nil
}

func TestProtocolsByteByByteAndAtOnce(t *testing.T) {
	long := strings.Repeat("long ", 20_000)
	for name, test := range map[string]struct {
		p        workerman.Protocol
		messages []string
	}{
		"text":     {builtin(t, "text"), []string{"", "a", "two words", long}},
		"frame":    {builtin(t, "frame"), []string{"", "a", "\n\x00\xff", long}},
		"xml":      {xmlProtocol{}, []string{"<a/>", "<b>" + long + "</b>"}},
		"json":     {jsonLines{}, []string{`{"a":1}`, `"` + long + `"`, "[]"}},
		"transfer": {transfer{}, []string{"a.txt\x00content", "empty\x00", "big\x00" + long}},
	} {
		t.Run(name, func(t *testing.T) {
			kinds(t, func(t *testing.T, k kind) {
				got := make(chan string, 100)
				_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
					w.Protocol = test.p
					w.MaxSendBuffer = 1 << 30
					w.OnMessage = func(c *workerman.Conn, data []byte) {
						got <- string(data)
						c.Send(data)
					}
				})
				var wire []byte
				for _, m := range test.messages {
					wire, _ = test.p.Encode(nil, wire, []byte(m))
				}
				for _, piece := range []int{len(wire), 7001, 1} {
					stream := wire
					if piece == 1 { // the long ones would take long
						stream, _ = test.p.Encode(nil, nil, []byte(test.messages[0]))
						stream, _ = test.p.Encode(nil, stream, []byte(test.messages[1][:min(len(test.messages[1]), 20)]))
						if test.p == (jsonLines{}) {
							stream = []byte("{\"a\":1}\n[1,2]\n")
						}
					}
					c := dial(t, w)
					go func() {
						for part := range slices.Chunk(stream, piece) {
							c.Write(part)
						}
					}()
					echoed := make([]byte, len(stream))
					if n, err := io.ReadFull(c, echoed); err != nil || !bytes.Equal(echoed, stream) {
						t.Fatalf("pieces of %d: %d of %d bytes come back, %v", piece, n, len(stream), err)
					}
					if piece > 1 {
						for i, want := range test.messages {
							if m := receive(t, got, "a message"); m != want {
								t.Fatalf("pieces of %d: message %d is %.40q", piece, i, m)
							}
						}
					}
					c.Close()
				}
			})
		})
	}
}

// faulty fails where its field says.
type faulty struct {
	text   textProtocol
	input  func(buf []byte) (int, error)
	decode func(f []byte) ([]byte, error)
	encode func(dst, data []byte) ([]byte, error)
}

func (p *faulty) Scan(_ *workerman.Conn, buf []byte, scanned int) (int, error) {
	if p.input != nil {
		return p.input(buf)
	}
	return p.text.Scan(nil, buf, scanned)
}
func (p *faulty) Decode(_ *workerman.Conn, f []byte) ([]byte, error) {
	if p.decode != nil {
		return p.decode(f)
	}
	return p.text.Decode(nil, f)
}
func (p *faulty) Encode(_ *workerman.Conn, dst, data []byte) ([]byte, error) {
	if p.encode != nil {
		return p.encode(dst, data)
	}
	return p.text.Encode(nil, dst, data)
}
func (p *faulty) Input(c *workerman.Conn, buf []byte) (int, error) { return p.Scan(c, buf, 0) }

func TestProtocolsThatFail(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for reason, p := range map[string]*faulty{
			"input: bad start":  {input: func([]byte) (int, error) { return 0, errors.New("bad start") }},
			"gave the size -5":  {input: func([]byte) (int, error) { return -5, nil }},
			"message too large": {input: func([]byte) (int, error) { return 1 << 40, nil }},
			"decode: bad sum":   {decode: func([]byte) ([]byte, error) { return nil, errors.New("bad sum") }},
			"panic: in input":   {input: func([]byte) (int, error) { panic("in input") }},
		} {
			closed := make(chan error, 1)
			_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
				w.Protocol = p
				w.OnMessage = func(*workerman.Conn, []byte) { t.Errorf("%s: a message", reason) }
				w.OnClose = func(c *workerman.Conn) { closed <- c.Err() }
			})
			c := dial(t, w)
			io.WriteString(c, "x\n")
			if err := receive(t, closed, "OnClose"); err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("Err is %v, want %s", err, reason)
			}
			c.Close()
		}
	})
}

func TestEncodeThatFailsLeavesTheConnection(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		for _, fail := range []func() error{
			func() error { return io.ErrShortBuffer },
			func() error { panic("in Encode") },
		} {
			p := &faulty{encode: func(dst, data []byte) ([]byte, error) {
				if string(data) == "fail" {
					return append(dst, "half a mess"...), fail()
				}
				return append(append(dst, data...), '\n'), nil
			}}
			results := make(chan error, 2)
			_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
				w.Protocol = p
				w.OnMessage = func(c *workerman.Conn, data []byte) {
					results <- c.Send([]byte("fail"))
					results <- c.Send(data)
				}
			})
			c := dial(t, w)
			if !alive(c) {
				t.Error("the good message after the bad one is lost")
			}
			if err := receive(t, results, "the result"); err == nil {
				t.Error("Send tells nothing")
			}
			if err := receive(t, results, "the result"); err != nil {
				t.Error(err)
			}
			c.Close()
		}
	})
}

// hooked counts its hooks and skips messages that begin with #.
type hooked struct {
	textProtocol
	events chan string
}

var _ workerman.ProtocolHooks = (*hooked)(nil)

func (p *hooked) OnConnect(c *workerman.Conn) {
	c.SetProtocolState(0)
	p.events <- "protocol connect"
}
func (p *hooked) OnClose(c *workerman.Conn) {
	p.events <- fmt.Sprint("protocol close ", c.ProtocolState())
}
func (p *hooked) Decode(c *workerman.Conn, f []byte) ([]byte, error) {
	c.SetProtocolState(c.ProtocolState().(int) + 1)
	if f[0] == '#' {
		return nil, workerman.ErrSkip
	}
	return p.textProtocol.Decode(c, f)
}

func TestProtocolHooksStateAndSkip(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		events := make(chan string, 10)
		_, w := serve(t, k, "tcp", func(w *workerman.Worker) {
			w.Protocol = &hooked{events: events}
			w.OnConnect = func(*workerman.Conn) { events <- "connect" }
			w.OnMessage = func(_ *workerman.Conn, data []byte) { events <- string(data) }
			w.OnClose = func(*workerman.Conn) { events <- "close" }
		})
		c := dial(t, w)
		io.WriteString(c, "#skipped\none\n#skipped\ntwo\n")
		for _, want := range []string{"protocol connect", "connect", "one", "two"} {
			if got := receive(t, events, want); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		c.Close()
		for _, want := range []string{"close", "protocol close 4"} {
			if got := receive(t, events, want); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	})
}

func TestProtocolSwitchInTheMiddle(t *testing.T) {
	kinds(t, func(t *testing.T, k kind) {
		got, frames := make(chan string, 10), builtin(t, "frame")
		_, w := serve(t, k, "text", func(w *workerman.Worker) {
			w.OnMessage = func(c *workerman.Conn, data []byte) {
				got <- string(data)
				if string(data) == "frames" {
					c.SetProtocol(frames)
				}
				c.Send([]byte("ok"))
			}
		})
		c := dial(t, w)
		m, _ := frame.Append([]byte("frames\n"), []byte("a frame\n"))
		c.Write(m) // in one piece: what is behind the switch is cut anew
		for _, want := range []string{"frames", "a frame\n"} {
			if s := receive(t, got, want); s != want {
				t.Errorf("%q, want %q", s, want)
			}
		}
		answer := make([]byte, 12)
		if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "\x00\x00\x00\x06ok\x00\x00\x00\x06ok" {
			t.Errorf("%q, %v", answer, err)
		}
	})
}
