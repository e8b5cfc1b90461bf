package loop

import "os"

// The steps of a transaction as methods of the stream, for callers that have no Tx in hand yet.

func (s *Stream) Begin() (queued int, ok bool) {
	tx, ok := s.BeginTx()
	if !ok {
		return 0, false
	}
	return tx.Queued(), true
}

func (s *Stream) Reserve(n int) []byte                { return Tx{s}.Reserve(n) }
func (s *Stream) Append(p []byte)                     { Tx{s}.Append(p) }
func (s *Stream) Share(p []byte)                      { Tx{s}.Share(p) }
func (s *Stream) Write(head, body, tail []byte)       { Tx{s}.Write(head, body, tail) }
func (s *Stream) Flush() (queued int)                 { return Tx{s}.Flush() }
func (s *Stream) SendFile(f *os.File, at, size int64) { Tx{s}.SendFile(f, at, size) }
func (s *Stream) Bursting() bool                      { return s.bursting }
func (s *Stream) Abort()                              { Tx{s}.Abort() }
func (s *Stream) Commit(limit int) (full bool)        { return Tx{s}.Commit(limit) }
func (s *Stream) CommitClose()                        { Tx{s}.CommitClose() }
func (s *Stream) CommitLater(limit int) (wake, full bool) {
	return Tx{s}.CommitLater(limit)
}

// InTx is the transaction that Begin began.
func (s *Stream) InTx() Tx { return Tx{s} }
