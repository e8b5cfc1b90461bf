package loop

// SpliceOwner is asked and told about the bytes that SpliceTo moves, on the loop.
type SpliceOwner interface {
	// MayMove is asked before each move; false ends the splice.
	MayMove() bool
	// Moved tells of n bytes that have left the first stream for the second.
	Moved(n int)
}
