// Package house holds the rules about how the project's source is arranged, and the tests that
// check them: which package may import which, how long a file may be, how comments are written,
// and what the library depends on. It has no code of its own.
package house
