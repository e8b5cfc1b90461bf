module github.com/workerman-go/workerman/internal/proxyproto/interop

go 1.26.0

replace github.com/workerman-go/workerman => ../../..

require (
	github.com/pires/go-proxyproto v0.15.0
	github.com/workerman-go/workerman v0.0.0-00010101000000-000000000000
)
