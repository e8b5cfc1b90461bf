package main

import (
	"fmt"
	"math"
)

// most bounds what a client can ask for.
const most = 50_000_000

// do does a job, which takes a while.
func do(j job) result {
	switch {
	case j.Job != "primes":
		return result{Error: fmt.Sprintf("unknown job %q", j.Job)}
	case j.Below < 0 || j.Below > most:
		return result{Error: fmt.Sprintf("below has to be 0 to %d", most)}
	}
	return result{Count: primes(j.Below)}
}

// primes counts those below n by the sieve of Eratosthenes.
func primes(n int) (count int) {
	composite := make([]bool, n)
	for i := 2; i < n; i++ {
		if composite[i] {
			continue
		}
		count++
		if i <= int(math.Sqrt(float64(n))) {
			for k := i * i; k < n; k += i {
				composite[k] = true
			}
		}
	}
	return count
}
