package loop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// fileOf makes a file with content b.
func fileOf(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openFile(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// sendFile sends head and a range of f as one message.
func (c *conn) sendFile(head []byte, f *os.File, offset, size int64) bool {
	tx, ok := c.Begin()
	if !ok {
		f.Close()
		return false
	}
	tx.Append(head)
	tx.SendFile(f, offset, size)
	tx.Commit(noLimit)
	return true
}

// isClosed reports whether somebody closed f.
func isClosed(f *os.File) bool {
	_, err := f.Stat()
	return errors.Is(err, os.ErrClosed)
}

// senders runs a test whose send is called within a burst, in a task of the loop, and on
// another goroutine.
func senders(t *testing.T, test func(t *testing.T, e Engine, network string, start func(s *server, send func(*conn)) (*client, *conn))) {
	for _, way := range []string{"burst", "task", "goroutine"} {
		t.Run(way, func(t *testing.T) {
			transports(t, func(t *testing.T, e Engine, network string) {
				test(t, e, network, func(s *server, send func(*conn)) (*client, *conn) {
					c, stream := s.connect()
					switch way {
					case "burst":
						on(t, s.loop, func() {
							stream.receive = func(c *conn, b []byte) (int, int) {
								send(c)
								return len(b), 0
							}
						})
						c.write([]byte("x"))
					case "task":
						s.loop.Post(func() { send(stream) })
					default:
						send(stream)
					}
					return c, stream
				})
			})
		})
	}
}

func TestSendFile(t *testing.T) {
	content := pattern(3<<20, 1)
	path := fileOf(t, content)
	senders(t, func(t *testing.T, e Engine, network string, start func(*server, func(*conn)) (*client, *conn)) {
		s := serve(t, e, network, nil)
		for _, r := range []struct{ offset, size int }{
			{0, 0}, {0, 1}, {0, 4 << 10}, {0, 64 << 10}, {0, len(content)},
			{17, 1}, {5000, 4 << 10}, {1 << 20, 2 << 20}, {len(content) - 1, 1},
		} {
			head := []byte(fmt.Sprintf("%d bytes from %d:", r.size, r.offset))
			f := openFile(t, path)
			c, stream := start(s, func(c *conn) { c.sendFile(head, f, int64(r.offset), int64(r.size)) })
			c.expect(append(head, content[r.offset:r.offset+r.size]...))
			until(t, "the file is closed", func() bool { return isClosed(f) })
			if n := stream.Queued(); n != 0 {
				t.Errorf("%d bytes are queued after all", n)
			}
			c.Close()
		}
	})
}

// Files and bytes arrive in the order in which they were sent, also if the peer is slow.
func TestFilesAndBytesInOrder(t *testing.T) {
	content := pattern(1<<20, 2)
	path := fileOf(t, content)
	senders(t, func(t *testing.T, e Engine, network string, start func(*server, func(*conn)) (*client, *conn)) {
		var want []byte
		var files []*os.File
		type step struct {
			f      *os.File
			offset int
			bytes  []byte
		}
		var steps []step
		for i, size := range []int{10, 300_000, 0, 70_000, 1, 1 << 20, 20_000} {
			steps = append(steps, step{bytes: numbered(i, 100*i)})
			f := openFile(t, path)
			files = append(files, f)
			offset := min(1000*i, len(content)-size)
			steps = append(steps, step{f, offset, content[offset : offset+size]})
		}
		steps = append(steps, step{bytes: pattern(200_000, 3)})
		for _, p := range steps {
			want = append(want, p.bytes...)
		}
		s := serve(t, e, network, nil)
		c, stream := start(s, func(c *conn) {
			for i, p := range steps {
				switch {
				case p.f != nil:
					c.sendFile(nil, p.f, int64(p.offset), int64(len(p.bytes)))
				case i%4 == 0:
					c.send(p.bytes)
				default:
					c.sendLarge(p.bytes)
				}
			}
			c.Close()
		})
		c.expectEnd(want)
		c.Close()
		if err := await(t, stream.closed); err != nil {
			t.Errorf("Closed(%v)", err)
		}
		for i, f := range files {
			if !isClosed(f) {
				t.Errorf("file %d is open", i)
			}
		}
	})
}

func numbered(i, size int) []byte {
	return bytes.Repeat([]byte{byte('a' + i)}, size)
}

// What is left of a file counts as queued, the peer's pace rules, and Drained comes once.
func TestFileToASlowReader(t *testing.T) {
	content := pattern(8<<20, 4)
	path := fileOf(t, content)
	transports(t, func(t *testing.T, e Engine, network string) {
		drained := make(chan int, 10)
		s := serve(t, e, network, func(c *conn) {
			c.drained = func(c *conn) { drained <- c.Queued() }
		})
		c, stream := s.connect()
		f := openFile(t, path)
		tx, ok := stream.Begin()
		if !ok {
			t.Fatal("Begin refuses")
		}
		tx.SendFile(f, 0, int64(len(content)))
		if !tx.Commit(1 << 20) {
			t.Error("Commit does not say that the limit is reached")
		}
		until(t, "the peer is slow", func() bool { return stream.Waiting() && stream.Queued() < len(content) })
		if n := stream.Queued(); n == 0 || isClosed(f) {
			t.Errorf("%d bytes queued, file closed: %v", n, isClosed(f))
		}
		c.expect(content)
		if n := await(t, drained); n != 0 {
			t.Errorf("Drained with %d bytes queued", n)
		}
		c.write([]byte("echo"))
		c.expect([]byte("echo"))
		if len(drained) != 0 {
			t.Error("Drained was called again")
		}
	})
}

// One download over a fast network must not keep the loop from its other streams.
func TestAFileLeavesTimeForOthers(t *testing.T) {
	const size = 64 << 20
	path := fileOf(t, nil)
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	s := serve(t, Native, "tcp", nil)
	c, stream := s.connect()
	go io.Copy(io.Discard, c)
	f := openFile(t, path)
	on(t, s.loop, func() {
		_, before, _ := stream.Counts()
		stream.sendFile(nil, f, 0, size)
		tx, _ := stream.Begin()
		tx.Flush()
		tx.Abort()
		if _, after, _ := stream.Counts(); after-before > fileBudget+64<<10 {
			t.Errorf("one flush wrote %d bytes", after-before)
		}
	})
	until(t, "everything is sent", func() bool { return stream.Queued() == 0 })
}

func TestDestroyClosesFiles(t *testing.T) {
	content := pattern(8<<20, 5)
	path := fileOf(t, content)
	transports(t, func(t *testing.T, e Engine, network string) {
		s := serve(t, e, network, nil)
		for _, end := range []string{"Destroy", "the peer", "linger"} {
			if end == "linger" {
				on(t, s.loop, func() { s.linger = lingerUnit })
			}
			c, stream := s.connect()
			files := []*os.File{openFile(t, path), openFile(t, path)}
			for _, f := range files {
				stream.sendFile([]byte("head"), f, 0, int64(len(content)))
			}
			until(t, "the peer is slow", stream.Waiting)
			switch end {
			case "Destroy":
				stream.Destroy(ErrDestroyed)
			case "the peer":
				c.Close()
			default:
				stream.Close()
			}
			if err := await(t, stream.closed); err == nil {
				t.Errorf("%s: Closed(nil) although a file was cut", end)
			}
			for i, f := range files {
				if !isClosed(f) {
					t.Errorf("%s: file %d is open", end, i)
				}
			}
		}
	})
}

// A file that is shorter than promised must not look complete to the peer.
func TestFileShorterThanPromised(t *testing.T) {
	content := pattern(100_000, 6)
	path := fileOf(t, content)
	senders(t, func(t *testing.T, e Engine, network string, start func(*server, func(*conn)) (*client, *conn)) {
		s := serve(t, e, network, nil)
		f := openFile(t, path)
		c, stream := start(s, func(c *conn) {
			c.sendFile([]byte("head"), f, 1, int64(len(content)))
			c.send([]byte("more"))
			c.Close()
		})
		if err := await(t, stream.closed); !errors.Is(err, ErrFileShrank) {
			t.Errorf("Closed(%v), want %v", err, ErrFileShrank)
		}
		if !isClosed(f) {
			t.Error("the file is open")
		}
		got, err := io.ReadAll(c)
		if _, tcp := c.Conn.(*net.TCPConn); tcp && err == nil {
			t.Error("the peer sees an orderly end")
		}
		if bytes.Contains(got, []byte("more")) {
			t.Error("something was sent behind the file")
		}
	})
}

// What sendfile(2) does not serve is read and written.
func TestFilesThatTheKernelDoesNotSend(t *testing.T) {
	if _, err := os.Stat("/proc/self/limits"); err != nil {
		t.Skip("there is no /proc")
	}
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", nil)
		c, stream := s.connect()
		f := openFile(t, "/proc/self/limits")
		stream.sendFile(nil, f, 0, 20)
		c.expect([]byte("Limit               "))
		f = openFile(t, t.TempDir())
		stream.sendFile(nil, f, 0, 20)
		if err := await(t, stream.closed); err == nil {
			t.Error("a directory was sent")
		}
		if !isClosed(f) {
			t.Error("the directory is open")
		}
	})
}

// A transaction that is given up keeps the file that it queued before.
func TestAbortKeepsQueuedFiles(t *testing.T) {
	content := pattern(4<<20, 7)
	path := fileOf(t, content)
	engines(t, func(t *testing.T, e Engine) {
		s := serve(t, e, "tcp", nil)
		c, stream := s.connect()
		stream.sendFile(nil, openFile(t, path), 0, int64(len(content)))
		tx, _ := stream.Begin()
		tx.Abort()
		c.expect(content)
	})
}
