//go:build !linux

package watch

import "runtime/metrics"

// Usage is what the process uses, as far as the runtime knows: memory in bytes, and CPU in
// seconds since its start, renewed with each collection of garbage. Any goroutine may ask.
func Usage() (memory int64, cpu float64) {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
		{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"},
	}
	metrics.Read(samples)
	memory = int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
	return memory, samples[2].Value.Float64() - samples[3].Value.Float64()
}
