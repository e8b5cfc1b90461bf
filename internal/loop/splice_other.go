//go:build !linux

package loop

// pipes are for splice, which is a system call of Linux.
type pipes struct{}

type pipePool struct{}

func (p *pipePool) close() {}

// SpliceTo is not possible on this system.
func (s *Stream) SpliceTo(dst *Stream, owner SpliceOwner, reason uint32) bool { return false }

func (s *Stream) fillPipe() (filled bool, err error, ok bool) { return false, nil, false }
func (s *Stream) drainPipe() bool                             { return true }
func (s *Stream) piped() int                                  { return 0 }
func (s *Stream) dropPiped()                                  {}
func (s *Stream) unsplice()                                   {}
