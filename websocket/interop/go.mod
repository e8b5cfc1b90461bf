module github.com/workerman-go/workerman/websocket/interop

go 1.26.0

replace github.com/workerman-go/workerman => ../..

require (
	github.com/coder/websocket v1.8.15
	github.com/gobwas/ws v1.5.0
	github.com/lxzan/gws v1.10.2
	github.com/workerman-go/workerman v0.0.0-00010101000000-000000000000
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
