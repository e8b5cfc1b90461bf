// Package filemonitor rebuilds and reloads a program while it is being written: save a file,
// and the new version serves. Call Watch before RunAll.
//
//	filemonitor.Watch(filemonitor.Options{Files: []string{"*.html", "config/*.json"}})
//	workerman.RunAll()
package filemonitor
