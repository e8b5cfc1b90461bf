package workerman

import "github.com/workerman-go/workerman/internal/loop"

// The loops of all tests here check the invariants that package loop documents.
func init() { loop.CheckInvariants() }
