module github.com/workerman-go/workerman/session/redis

go 1.26.0

replace github.com/workerman-go/workerman => ../..

require (
	github.com/redis/rueidis v1.0.79
	github.com/workerman-go/workerman v0.0.0-00010101000000-000000000000
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
