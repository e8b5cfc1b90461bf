package loop

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"syscall"

	"github.com/workerman-go/workerman/internal/poll"
)

// fileBudget is how many bytes of files one flush writes at most, so that a download
// over a fast network leaves time for the loop's other streams.
const fileBudget = 1 << 20

// ErrFileShrank closes a stream whose file ended before the range that was promised.
var ErrFileShrank = errors.New("file became shorter while it was sent")

// filePart is a range of a file in the output.
type filePart struct {
	file   *os.File
	at     int64
	left   int64
	copied bool      // the system does not send this file by itself
	next   *outQueue // the output behind it, nil if there is none
}

// SendFile queues size bytes of f from offset on. The stream owns
// f from now on and closes it when the range is written or the stream closes, whichever
// comes first. A file that turns out to be shorter fails the stream with ErrFileShrank, and
// a TCP peer sees a reset, so that it cannot take the rest for the whole.
func (t Tx) SendFile(f *os.File, offset, size int64) {
	if checking {
		t.check()
	}
	if size <= 0 {
		f.Close()
		return
	}
	t.s.queue().file = &filePart{file: f, at: offset, left: size}
}

// behindFiles is the queue at the end of the chain that begins with q, for more output.
func (q *outQueue) behindFiles() *outQueue {
	for q.file != nil {
		if q.file.next == nil {
			q.file.next = outQueues.Get().(*outQueue)
		}
		q = q.file.next
	}
	return q
}

// sizeWithFiles is the number of bytes in the chain that begins with q.
func (q *outQueue) sizeWithFiles() int {
	var n int64
	for q != nil {
		n += int64(q.size)
		if q.file == nil {
			break
		}
		n += q.file.left
		q = q.file.next
	}
	return int(min(n, math.MaxInt))
}

// dropQueue forgets the first queue with its file, and goes on to what is behind it.
func (s *Stream) dropQueue() {
	q := s.out
	s.out = nil
	if part := q.file; part != nil {
		q.file = nil
		part.file.Close()
		s.out = part.next
	}
	q.free()
}

// drainFile makes one call for a file and returns how many bytes it wrote.
func (s *Stream) drainFile(part *filePart) (n int) {
	if part.copied || !s.sysSendsFiles() {
		return s.copyFile(part)
	}
	n, err := s.sysSendFile(part.file, part.at, int(min(part.left, poll.MaxRawBytes)))
	switch {
	case err == errAgain:
		s.output.waiting = true
	case err == syscall.EINVAL || err == syscall.ENOSYS || err == syscall.EOVERFLOW:
		part.copied = true // not every file system can
	case err == syscall.EPIPE || err == syscall.ECONNRESET:
		s.noteFailure(err)
	case err != nil:
		s.fileFailed(os.NewSyscallError("sendfile", err))
	case n == 0:
		s.fileFailed(part.shrank())
	default: // fewer than asked for: the next call tells whether peer or file is the reason
		s.noteWritten(n)
		part.advance(n)
	}
	return n
}

// fileBlock is how much of a file is read at a time where the system does not send it.
const fileBlock = 64 << 10

var fileBlocks = sync.Pool{New: func() any { return &block{b: make([]byte, fileBlock)} }}

// copyFile is drainFile by reading and writing.
func (s *Stream) copyFile(part *filePart) (n int) {
	block := fileBlocks.Get().(*block)
	defer fileBlocks.Put(block)
	n, err := part.file.ReadAt(block.b[:min(part.left, fileBlock)], part.at)
	switch {
	case n > 0: // an error comes again
	case err == io.EOF:
		s.fileFailed(part.shrank())
		return 0
	default:
		s.fileFailed(err)
		return 0
	}
	n = s.submit([][]byte{block.b[:n]}, n)
	part.advance(n)
	return n
}

func (part *filePart) advance(n int) {
	part.at += int64(n)
	part.left -= int64(n)
}

func (part *filePart) shrank() error {
	return fmt.Errorf("%w: %s lacks %d bytes", ErrFileShrank, part.file.Name(), part.left)
}

// fileFailed gives the stream up because of its file, not of its peer.
func (s *Stream) fileFailed(err error) {
	s.sysReset()
	s.noteFailure(err)
}
