//go:build !race

package loop

// racing says that the race detector runs, under which pools drop at random.
const racing = false
