// Package testkit is what the tests of all packages have in common: how long they wait, how
// they find goroutines and descriptors that were left behind, a log that is read while it is
// written, certificates, programs under test, and addresses that are free.
//
// It is for tests only, and imports no other package of the project, so that the tests of every
// package may use it. A test waits by Eventually and Receive; other waits, such as deadlines of
// sockets and timeouts of clients, are Patience long. None of them measures a time: what a test
// waits for happens soon, or the test fails.
package testkit
