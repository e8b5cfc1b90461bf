package main

import (
	"crypto/sha256"
	"errors"
	"strings"
)

// users are the names of those who have a token, by its hash: how long it takes to find a
// hash tells nothing about the token.
type users map[[sha256.Size]byte]string

// add adds a user as NAME:TOKEN.
func (u users) add(user string) error {
	name, token, _ := strings.Cut(user, ":")
	if name == "" || token == "" {
		return errors.New("not of the form NAME:TOKEN")
	}
	u[sha256.Sum256([]byte(token))] = name
	return nil
}

// find returns who has that token.
func (u users) find(token string) (name string, ok bool) {
	name, ok = u[sha256.Sum256([]byte(token))]
	return name, ok
}
