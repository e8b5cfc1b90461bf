module github.com/workerman-go/workerman/filemonitor

go 1.26.0

replace github.com/workerman-go/workerman => ..

require (
	github.com/fsnotify/fsnotify v1.10.1
	github.com/workerman-go/workerman v0.0.0-00010101000000-000000000000
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
