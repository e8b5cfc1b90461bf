package loop

import (
	"io"
	"syscall"

	"github.com/workerman-go/workerman/internal/poll"
)

// Bulk data goes from one stream to another through a pipe of the kernel, without being
// copied into this process and out again. A stream is spliced for as long as much arrives at
// it: for little, reading and writing is cheaper, and the pipe is of use to others.

const (
	spliceSize = 64 << 10 // bytes that a pipe has room for by default
	// bulkSplice is what a move has to bring to count as bulk; maxSmall moves in a row that
	// bring less end the splice, as does an idle time of spliceIdle milliseconds.
	bulkSplice = 16 << 10
	maxSmall   = 8
	spliceIdle = 250
	// maxPipes bounds the pipes of a loop, each of which is two descriptors; maxSparePipes
	// those that wait to be used again.
	maxPipes      = 256
	maxSparePipes = 16
)

// pipes are those that end at a stream: into is where its input goes, onto is what is written to
// it before the rest of its output.
type pipes struct{ into, onto *splice }

// splice is a pipe between two streams of a loop. The loop alone uses it, but for what
// Stream.mu of the second one guards.
type splice struct {
	from   *Stream // nil when no more comes
	to     *Stream
	pipe   pipe
	owner  SpliceOwner
	reason uint32 // to pause from while to is slow
	small  int    // moves in a row that were no bulk
	moved  bool   // since the last look
	timer  node

	left    int  // bytes in the pipe; guarded by to.mu
	spoiled bool // bytes in it that nobody wants; the same
}

type pipe struct{ r, w int }

// pipePool has the pipes of a loop.
type pipePool struct {
	spare []pipe
	used  int
}

func (p *pipePool) get() (pipe, bool) {
	if p.used >= maxPipes {
		return pipe{}, false
	}
	if n := len(p.spare); n > 0 {
		last := p.spare[n-1]
		p.spare = p.spare[:n-1]
		p.used++
		return last, true
	}
	r, w, err := poll.Pipe()
	if err != nil {
		return pipe{}, false
	}
	p.used++
	return pipe{r, w}, true
}

func (p *pipePool) put(x pipe, empty bool) {
	p.used--
	if empty && len(p.spare) < maxSparePipes {
		p.spare = append(p.spare, x)
		return
	}
	x.close()
}

func (p *pipePool) close() {
	for _, x := range p.spare {
		x.close()
	}
	p.spare = nil
}

func (x pipe) close() {
	poll.Close(x.r)
	poll.Close(x.w)
}

// SpliceTo moves what arrives at s to dst from the next read on, as long as it is much and owner
// allows it; otherwise, and when dst has other output that waits, it is received as usual. While
// dst is slow s is paused for reason, which the owner of dst takes back when it is told of
// Drained. It reports false where that is not possible: for streams of different loops,
// encrypted ones and those of the portable engine. On the loop.
func (s *Stream) SpliceTo(dst *Stream, owner SpliceOwner, reason uint32) bool {
	l := s.loop
	if s == dst || dst.loop != l || !s.bare() || !dst.bare() || !dst.isOpen() || s.pipes().into != nil || dst.pipes().onto != nil {
		return false
	}
	x, ok := l.pipes.get()
	if !ok {
		return false
	}
	sp := &splice{from: s, to: dst, pipe: x, owner: owner, reason: reason}
	sp.timer.owner = sp
	s.setPipes(func(p *pipes) { p.into = sp })
	dst.setPipes(func(p *pipes) { p.onto = sp })
	l.arm(&sp.timer, l.now+spliceIdle)
	return true
}

// bare reports whether nothing lies between the stream and its descriptor.
func (s *Stream) bare() bool { return s.layers == nil || s.layers.port == nil && s.layers.tls == nil }

// pipes of the stream. On the loop, or with s.mu held.
func (s *Stream) pipes() pipes {
	if s.layers == nil {
		return pipes{}
	}
	return s.layers.pipes
}

func (s *Stream) setPipes(change func(*pipes)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setPipesLocked(change)
}

func (s *Stream) setPipesLocked(change func(*pipes)) {
	if s.layers == nil {
		s.layers = new(layers)
	}
	change(&s.layers.pipes)
	if *s.layers == (layers{}) {
		s.layers = nil
	}
}

// fillPipe is fill for a stream that is spliced; ok is false if fill has to do it.
func (s *Stream) fillPipe() (filled bool, err error, ok bool) {
	sp := s.pipes().into
	if sp == nil {
		return false, nil, false
	}
	if s.in != nil || !sp.owner.MayMove() {
		sp.end()
		return false, nil, false
	}
	n, waits, err := sp.move(int(s.fd))
	switch {
	case err == syscall.EINVAL || err == syscall.ENOSYS:
		sp.end() // not every socket can
		return false, nil, false
	case err == errBusy:
		return false, nil, false
	case err != nil:
		return false, err, true
	case n == 0:
		return false, io.EOF, true
	}
	s.loop.counters.Reads++
	s.arrived(n)
	sp.moved = true
	sp.owner.Moved(n)
	if waits {
		s.Pause(sp.reason)
	}
	if sp.small++; n >= bulkSplice {
		sp.small = 0
	} else if sp.small >= maxSmall {
		sp.end()
	}
	return n == spliceSize, nil, true
}

// errBusy says that other output of the second stream comes first.
const errBusy = syscall.EBUSY

// move brings what the socket has into the pipe and out again; waits says that some of it
// is left there.
func (sp *splice) move(fd int) (n int, waits bool, err error) {
	to := sp.to
	to.mu.Lock()
	defer to.mu.Unlock()
	if !to.isOpen() || to.hasFailed() || to.output.waiting || to.out != nil {
		return 0, false, errBusy
	}
	if n, err = poll.Splice(fd, sp.pipe.w, spliceSize); n <= 0 {
		return n, false, err
	}
	sp.left = n
	to.sends++
	waits = !to.drainPipe() && !to.hasFailed()
	to.updateInterest()
	return n, waits, nil
}

// drainPipe writes what is in the pipe that ends here, and reports whether nothing is left.
// With s.mu held; on the loop if there is something.
func (s *Stream) drainPipe() bool {
	sp := s.pipes().onto
	if sp == nil || sp.left == 0 {
		return true
	}
	s.loop.counters.Writes.Add(1)
	n, err := poll.Splice(sp.pipe.r, int(s.fd), sp.left)
	if err != nil && err != errAgain {
		s.noteFailure(err)
		return false
	}
	sp.left -= n
	s.noteWritten(n)
	if sp.left > 0 {
		s.output.waiting = true
		return false
	}
	if sp.from == nil {
		sp.release()
	}
	return true
}

// piped is the number of bytes in the pipe that ends here. With s.mu held.
func (s *Stream) piped() int {
	if sp := s.pipes().onto; sp != nil {
		return sp.left
	}
	return 0
}

// dropPiped gives up what is in the pipe that ends here. With s.mu held.
func (s *Stream) dropPiped() {
	if sp := s.pipes().onto; sp != nil && sp.left > 0 {
		sp.left, sp.spoiled = 0, true
	}
}

// unsplice takes a closed stream out of its pipes.
func (s *Stream) unsplice() {
	p := s.pipes()
	if p.into != nil {
		p.into.end()
	}
	if p.onto != nil {
		p.onto.end()
	}
}

// end lets nothing more into the pipe, and gives it back when it is empty.
func (sp *splice) end() {
	if sp.from != nil {
		sp.from.setPipes(func(p *pipes) { p.into = nil })
		sp.from = nil
		sp.to.loop.disarm(&sp.timer)
	}
	sp.to.mu.Lock()
	defer sp.to.mu.Unlock()
	if sp.left == 0 && sp.to.pipes().onto == sp {
		sp.release()
	}
}

// release gives the pipe back. With to.mu held, on the loop.
func (sp *splice) release() {
	sp.to.setPipesLocked(func(p *pipes) { p.onto = nil })
	sp.to.loop.pipes.put(sp.pipe, !sp.spoiled)
}

// expire ends a splice that has nothing to do.
func (sp *splice) expire(now int64) {
	if sp.from == nil {
		return
	}
	sp.to.mu.Lock()
	left := sp.left
	sp.to.mu.Unlock()
	if !sp.moved && left == 0 {
		sp.end()
		return
	}
	sp.moved = false
	sp.to.loop.arm(&sp.timer, now+spliceIdle)
}
